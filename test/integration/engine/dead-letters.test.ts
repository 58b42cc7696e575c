import { describe, expect, it } from "vitest";
import { sleep } from "../../../src/clock.ts";
import { useDesk } from "../../support/diary.ts";
import { deadLetter, deadLetters, eventually, startEngine } from "../../support/memory-engine.ts";
import { tally } from "../../support/tally.ts";

const desk = useDesk();
const client = () => desk.engine.client;
const farAway = 8.64e15;

describe("a dead letter that is sent again", () => {
  it("is handled like any message, in the trace that it came in", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await desk.start();
    await desk.publish("m1", { type: "diary.shout", headers: shouted(traceparent) });
    const { id } = await deadLetter(desk.engine, "m1");
    await desk.send("diary.open");
    await client().redriveDeadLetter(id);
    await eventually(async () => expect(await desk.notes()).toEqual(["x"]));
    expect(await deadLetters(desk.engine)).toEqual([]);
    const history = await client().history("diary", "d");
    expect(history.at(-1)).toMatchObject({
      type: "diary.shout",
      messageId: `redrive:${id}:1`,
      traceId: "0af7651916cd43dd8448eb211c80319c",
    });
    await expect(client().redriveDeadLetter(id)).rejects.toMatchObject({
      code: "unknown-dead-letter",
    });
  });

  it("comes back under another id when it is still not accepted, and tells how often", async () => {
    await desk.start();
    await desk.sendAsync("diary.shut", {}, { idempotencyKey: "m1" });
    const { id } = await deadLetter(desk.engine, "m1");
    await client().redriveDeadLetter(id);
    const second = await deadLetter(desk.engine, `redrive:${id}:1`);
    expect(second).toMatchObject({ reason: "not-accepted", redrives: 1 });
    await client().redriveDeadLetter(second.id);
    expect(await deadLetter(desk.engine, `redrive:${id}:2`)).toMatchObject({ redrives: 2 });
    expect(await deadLetters(desk.engine)).toHaveLength(1);
  });

  it("reaches an instance that did not exist when it came", async () => {
    await desk.sendAsync("diary.shout", { text: "hey" }, { id: "late", idempotencyKey: "m1" });
    const { id } = await deadLetter(desk.engine, "m1");
    await desk.start("late");
    await client().send({ workflow: "diary", id: "late", type: "diary.open", payload: {} });
    await client().redriveDeadLetter(id);
    await eventually(async () => expect(await desk.notes("late")).toEqual(["hey"]));
  });

  it("gets no rights that its sender had not", async () => {
    await desk.start();
    await desk.publish("m1", { type: "waybill.stop", body: "{}" });
    const { id } = await deadLetter(desk.engine, "m1");
    await client().redriveDeadLetter(id);
    expect(await deadLetter(desk.engine, `redrive:${id}:1`)).toMatchObject({
      reason: "reserved-type",
    });
    expect(await client().get("diary", "d")).toMatchObject({ status: "active" });
  });

  it("keeps the rights of the engine's own start, with all that it said", async () => {
    await desk.start();
    const request = { workflow: "diary", id: "d", input: { thick: true }, idempotencyKey: "m1" };
    await client().startAsync({ ...request, onConflict: "reject" });
    const { id, body } = await deadLetter(desk.engine, "m1");
    expect(JSON.parse(body)).toEqual({ input: { thick: true }, onConflict: "reject" });
    await client().redriveDeadLetter(id);
    expect(await deadLetter(desk.engine, `redrive:${id}:1`)).toMatchObject({
      type: "waybill.start",
      reason: "not-accepted",
      body,
    });
  });

  it("finds its instance once there is code that names it", async () => {
    const message = { id: "m1", type: "tally.add", body: '{"number":1}' };
    await desk.shop.publish({ exchange: "", routingKey: "waybill.p.0", message });
    const { id } = await deadLetter(desk.engine, "m1");
    await desk.engine.stop();
    const correlating = {
      ...tally,
      events: new Map([["tally.add", { ...rule(), correlate: () => "t" }]]),
    };
    desk.engine = await startEngine(desk.world, { workflows: [correlating] });
    await client().start({ workflow: "tally", id: "t", input: {} });
    await client().redriveDeadLetter(id);
    await eventually(async () =>
      expect(await client().get("tally", "t")).toMatchObject({ context: { numbers: [1] } }),
    );
  });

  it("is refused when it was not kept whole", async () => {
    await desk.start();
    const text = "x".repeat(300_000);
    await desk.publish("m1", { body: JSON.stringify({ text }) });
    const { id } = await deadLetter(desk.engine, "m1");
    await expect(client().redriveDeadLetter(id)).rejects.toMatchObject({ code: "not-redrivable" });
    await client().dropDeadLetter(id);
    expect(await deadLetters(desk.engine)).toEqual([]);
  });
});

describe("many dead letters", () => {
  const shutBoth = async () => {
    await desk.start();
    await desk.start("e");
    for (const id of ["d", "e"]) {
      await desk.sendAsync("diary.shut", {}, { id, idempotencyKey: "same" });
    }
    await eventually(async () => expect(await deadLetters(desk.engine)).toHaveLength(2));
  };

  it("of one message id for two instances are kept apart", async () => {
    await shutBoth();
    const letters = await deadLetters(desk.engine);
    expect(new Set(letters.map(({ key }) => key))).toEqual(new Set(["diary/d", "diary/e"]));
    for (const { id } of letters) expect(encodeURIComponent(id)).toBe(id);
  });

  it("are listed by reason and workflow", async () => {
    await shutBoth();
    const count = async (query: object) =>
      (await client().deadLetters({ limit: 1, ...query })).items.length;
    expect(await count({ reason: "not-accepted", workflow: "diary" })).toBe(1);
    expect(await count({ reason: "ended" })).toBe(0);
    expect(await count({ workflow: "tally" })).toBe(0);
  });

  it("are sent again up to a time, without going round in circles", async () => {
    await shutBoth();
    const redrive = (request: object) =>
      client().redriveDeadLetters({ before: farAway, ...request });
    const nothing = { redriven: 0, refused: 0, more: false };
    expect(await redrive({ before: 1 })).toEqual(nothing);
    expect(await redrive({ reason: "ended" })).toEqual(nothing);
    await sleep(desk.world.clock, 5);
    expect(await redrive({ limit: 1 })).toEqual({ redriven: 1, refused: 0, more: true });
    await eventually(async () => expect(await deadLetters(desk.engine)).toHaveLength(2));
    await sleep(desk.world.clock, 5);
    expect(await redrive({ workflow: "diary" })).toEqual({ redriven: 2, refused: 0, more: false });
    await eventually(async () =>
      expect((await deadLetters(desk.engine)).map(({ redrives }) => redrives)).not.toContain(0),
    );
  });

  it("leave those alone whose instance still waits with the event", async () => {
    await desk.start();
    await desk.sendAsync("diary.break", {}, { idempotencyKey: "m1" });
    await deadLetter(desk.engine, "m1");
    await sleep(desk.world.clock, 5);
    const done = await client().redriveDeadLetters({ before: farAway });
    expect(done).toEqual({ redriven: 0, refused: 1, more: false });
    expect(await deadLetters(desk.engine)).toHaveLength(1);
  });
});

function shouted(traceparent: string) {
  return { "x-waybill-instance": "diary/d", traceparent };
}

function rule() {
  const found = tally.events.get("tally.add");
  if (found === undefined) throw new Error("tally has no tally.add");
  return found;
}
