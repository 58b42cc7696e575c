import { describe, expect, it } from "vitest";
import { inboxOf } from "../../contracts/store-lab.ts";
import { diary, useDesk } from "../../support/diary.ts";
import { deadLetter, startEngine } from "../../support/memory-engine.ts";

const desk = useDesk();

describe("a duplicate", () => {
  it("is dropped in the same batch and in a later one, and answered from the record", async () => {
    await desk.start();
    await desk.send("diary.open");
    const same = { idempotencyKey: "m1" };
    const answers = await Promise.all([
      desk.send("diary.note", { text: "a" }, same),
      desk.send("diary.note", { text: "a" }, same),
    ]);
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(["applied", "duplicate"]);
    expect(await desk.send("diary.note", { text: "a" }, same)).toMatchObject({
      outcome: "duplicate",
    });
    expect(await desk.notes()).toEqual(["a"]);
  });

  it("is dropped after a restart of the engine", async () => {
    await desk.start();
    await desk.send("diary.open", {}, { idempotencyKey: "m1" });
    await desk.engine.stop();
    desk.engine = await startEngine(desk.world, { workflows: [diary] });
    expect(await desk.send("diary.open", {}, { idempotencyKey: "m1" })).toMatchObject({
      outcome: "duplicate",
      instance: { version: 2 },
    });
  });

  it("of a deferred event is dropped", async () => {
    await desk.start();
    for (const text of ["a", "a"])
      await desk.sendAsync("diary.note", { text }, { idempotencyKey: "m1" });
    await desk.told("duplicate");
    await desk.send("diary.open");
    expect(await desk.notes()).toEqual(["a"]);
  });

  it("is no longer known after two windows, when no copy of it would be accepted any more", async () => {
    await desk.start();
    await desk.send("diary.open", {}, { idempotencyKey: "m1" });
    const inbox = async () => {
      const found = await Promise.all(
        [0, 1].map((one) => inboxOf(desk.world.store(), one, "diary/d")),
      );
      return found.flat().map(({ id }) => id);
    };
    const later = async (hours: number) => {
      await desk.engine.stop();
      desk.world.skip(hours * 3_600_000);
      desk.engine = await startEngine(desk.world, { workflows: [diary] });
    };
    await later(47);
    await desk.send("diary.note", { text: "a" }, { idempotencyKey: "m2" });
    expect(await inbox()).toEqual(["m1", "m2"]);
    await later(2);
    await desk.send("diary.note", { text: "b" }, { idempotencyKey: "m3" });
    expect(await inbox()).toEqual(["m2", "m3"]);
  });

  it("that is too old to be told from a new message becomes a dead letter", async () => {
    await desk.start();
    await desk.send("diary.open");
    const timestamp = desk.world.now() - 25 * 3_600_000;
    await desk.publish("m1", { timestamp });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({
      reason: "too-old",
      body: '{"text":"x"}',
    });
    expect(await desk.notes()).toEqual([]);
  });
});
