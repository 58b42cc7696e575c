import { beforeEach, describe, expect, it } from "vitest";
import { diary, useDesk } from "../../support/diary.ts";
import { deadLetter, deadLetters, eventually, startEngine } from "../../support/memory-engine.ts";

const desk = useDesk();
const client = () => desk.engine.client;
const hourMs = 3_600_000;
const all = { before: 8.64e15 };

/** A copy of the same message as its sender sent it, more than a window ago. */
async function copyComes(): Promise<string> {
  await desk.publish("m1", { timestamp: desk.world.now() - 25 * hourMs });
  return (await deadLetter(desk.engine, "m1")).id;
}

describe("a message that is too old to be told from one that was applied", () => {
  let id: string;

  beforeEach(async () => {
    await desk.start();
    await desk.send("diary.open");
    id = await copyComes();
  });

  it("is applied when an operator sends it again, and another copy that is sent again is a duplicate", async () => {
    await client().redriveDeadLetter(id);
    await eventually(async () => expect(await desk.notes()).toEqual(["x"]));
    expect(await copyComes()).toBe(id);
    await client().redriveDeadLetter(id);
    await desk.told("duplicate");
    expect(await desk.notes()).toEqual(["x"]);
    expect(await deadLetters(desk.engine)).toEqual([]);
  });

  it("is applied again once that is forgotten, which the history would have told", async () => {
    await client().redriveDeadLetter(id);
    await eventually(async () => expect(await desk.notes()).toEqual(["x"]));
    await desk.engine.stop();
    desk.world.skip(49 * hourMs);
    desk.engine = await startEngine(desk.world, { workflows: [diary] });
    await desk.send("diary.note", { text: "later" });
    expect(await copyComes()).toBe(id);
    const history = await client().history("diary", "d");
    expect(history.map(({ messageId }) => messageId)).toContain(`redrive:${id}:1`);
    await client().redriveDeadLetter(id);
    await eventually(async () => expect(await desk.notes()).toEqual(["x", "later", "x"]));
  });

  it("is left alone when all dead letters are sent again, unless it is asked for by that reason", async () => {
    const { at } = await deadLetter(desk.engine, "m1");
    await eventually(() => expect(desk.world.now()).toBeGreaterThan(at));
    expect(await client().redriveDeadLetters(all)).toEqual({
      redriven: 0,
      refused: 1,
      more: false,
    });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({ reason: "too-old" });
    const asked = await client().redriveDeadLetters({ ...all, reason: "too-old" });
    expect(asked).toEqual({ redriven: 1, refused: 0, more: false });
    await eventually(async () => expect(await desk.notes()).toEqual(["x"]));
  });
});
