import { describe, expect, it } from "vitest";
import { useDesk } from "../../support/diary.ts";
import { deadLetter, deadLetters, inState } from "../../support/memory-engine.ts";

const desk = useDesk({ missingInstanceWaitMs: 250 });

describe("an event for an instance that was not started yet", () => {
  it("is kept and delivered in order once it starts", async () => {
    for (const text of ["a", "b"])
      await desk.sendAsync("diary.note", { text }, { idempotencyKey: text });
    await desk.told("held");
    await expect(desk.engine.client.get("diary", "d")).rejects.toMatchObject({
      code: "unknown-instance",
    });
    expect((await desk.engine.client.list({ workflow: "diary" })).items).toEqual([]);
    await desk.start();
    await desk.send("diary.open");
    expect(await desk.notes()).toEqual(["a", "b"]);
    await desk.sendAsync("diary.note", { text: "a" }, { idempotencyKey: "a" });
    await desk.told("duplicate");
    expect(await desk.notes()).toEqual(["a", "b"]);
  });

  it("is delivered as its schema leaves it, also when the first state defers it", async () => {
    await desk.sendAsync("diary.note", { text: " a " });
    await desk.told("held");
    await desk.start();
    await desk.sendAsync("diary.note", { text: " b " });
    await desk.send("diary.open");
    expect(await desk.notes()).toEqual(["a", "b"]);
  });

  it("becomes a dead letter, and no more, when the first state does not take it", async () => {
    await desk.sendAsync("diary.shut", {}, { idempotencyKey: "m1" });
    await desk.told("held");
    await desk.start();
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({ reason: "not-accepted" });
    expect(desk.engine.seen("partition").filter(({ change }) => change === "lost")).toEqual([]);
  });

  it("is handled rightly in the same batch as the start", async () => {
    await Promise.all([
      desk.sendAsync("diary.open", {}, { idempotencyKey: "m1" }),
      desk.sendAsync("diary.shut", {}, { idempotencyKey: "m2" }),
      desk.engine.client.startAsync({ workflow: "diary", id: "d", input: {} }),
    ]);
    await inState(desk.engine, "diary/d", "burnt");
    expect(await deadLetters(desk.engine)).toEqual([]);
  });

  it("becomes a dead letter when no start comes in time", async () => {
    await desk.sendAsync("diary.note", { text: "a" }, { idempotencyKey: "m1" });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({
      reason: "missing-instance",
      body: '{"text":"a"}',
    });
    await desk.start();
    await desk.send("diary.open");
    expect(await desk.notes()).toEqual([]);
  });

  it("becomes a dead letter at once when its policy says so", async () => {
    await desk.sendAsync("diary.shout", { text: "a" }, { idempotencyKey: "m1" });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({ reason: "missing-instance" });
  });

  it("creates it when its policy says so", async () => {
    const answer = await desk.send("diary.begin", { text: "dear diary" });
    expect(answer).toMatchObject({ outcome: "applied", instance: { state: "open" } });
  });

  it("waits no longer once it has started: the end of the wait does nothing to the instance", async () => {
    await desk.sendAsync("diary.note", { text: "a" });
    await desk.told("held");
    await desk.start();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await desk.engine.client.get("diary", "d")).toMatchObject({ state: "shut", waiting: 1 });
  });
});
