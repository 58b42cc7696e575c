import { describe, expect, it } from "vitest";
import { useDesk } from "../../support/diary.ts";
import { deadLetter, deadLetters, eventually } from "../../support/memory-engine.ts";

const desk = useDesk({ bodyBytes: 1_000 });

describe("a message of an outsider", () => {
  const anywhere = { headers: {} };

  it.each([
    [
      "for an unknown workflow",
      { headers: { "x-waybill-instance": "nope/1" } },
      "unknown-workflow",
    ],
    ["that is no JSON", { body: "hello" }, "undecodable"],
    ["that is no object", { body: "[1]" }, "undecodable"],
    ["that is too large", { body: JSON.stringify({ text: "é".repeat(600) }) }, "too-large"],
    ["without an instance", { ...anywhere, type: "diary.open", body: "{}" }, "no-instance"],
    ["with a type of XState's", { type: "xstate.done.actor.x" }, "reserved-type"],
    [
      "with a type of the engine's",
      { type: "waybill.start", body: '{"input":{}}' },
      "reserved-type",
    ],
    [
      "with a header of the engine's",
      { headers: { "x-waybill-instance": "diary/d", "x-waybill-if-version": "1" } },
      "reserved-type",
    ],
  ])(
    "%s becomes a dead letter, through the ingress and by the partition's queue",
    async (_, message, reason) => {
      await desk.start();
      await desk.publish("m1", message);
      expect(await deadLetter(desk.engine, "m1")).toMatchObject({ reason });
      const whole = {
        id: "m2",
        type: "diary.note",
        body: "{}",
        headers: { "x-waybill-instance": "diary/d" },
        ...message,
      };
      for (const routingKey of ["waybill.p.0", "waybill.p.1"]) {
        await desk.shop.publish({
          exchange: "",
          routingKey,
          message: { ...whole, id: `m2.${routingKey}` },
        });
      }
      await eventually(async () => expect(await deadLetters(desk.engine)).toHaveLength(3));
      expect(desk.engine.seen("applied")).toEqual([]);
    },
  );

  it("finds its instance by what the workflow correlates, and keeps its sender's order", async () => {
    await desk.start("anna");
    await desk.engine.client.send({
      workflow: "diary",
      id: "anna",
      type: "diary.open",
      payload: {},
    });
    const texts = Array.from({ length: 600 }, (_, index) => `anna-${index}`);
    for (const text of texts)
      await desk.publish(text, { headers: {}, body: JSON.stringify({ text }) });
    await eventually(async () => expect(await desk.notes("anna")).toHaveLength(600));
    expect(await desk.notes("anna")).toEqual(texts);
  });

  it("that is published to the queue of another partition becomes a dead letter, not a second instance", async () => {
    await desk.start();
    await desk.send("diary.open");
    for (const routingKey of ["waybill.p.0", "waybill.p.1"]) {
      const message = {
        id: routingKey,
        type: "diary.note",
        body: '{"text":"x"}',
        headers: { "x-waybill-instance": "diary/d" },
      };
      await desk.shop.publish({ exchange: "", routingKey, message });
    }
    await eventually(async () =>
      expect(await deadLetters(desk.engine)).toMatchObject([{ reason: "no-instance" }]),
    );
    await eventually(async () => expect(await desk.notes()).toEqual(["x"]));
  });

  it("that answers a request goes by the correlation alone: its id and its type follow from it", async () => {
    const asked = await desk.shop.gather("diary.asked");
    await desk.start();
    await desk.send("diary.open");
    await eventually(() => expect(asked).toHaveLength(1));
    const [question] = asked;
    const { replyTo = "", correlationId = "" } = question ?? {};
    const answer = { correlationId, body: '{"mood":"fine"}' };
    await desk.shop.publish({ exchange: "", routingKey: replyTo, message: answer });
    await desk.shop.publish({ exchange: "", routingKey: replyTo, message: answer });
    await desk.told("duplicate");
    expect(await desk.engine.client.get("diary", "d")).toMatchObject({
      version: 3,
      context: { mood: "fine" },
    });
    const history = await desk.engine.client.history("diary", "d");
    expect(history.at(-1)).toMatchObject({
      type: "diary.answer",
      messageId: `re:${correlationId}`,
    });
  });

  it("without a type that answers nothing becomes a dead letter", async () => {
    await desk.start();
    const { type: _, ...untyped } = {
      type: "",
      id: "m1",
      body: "{}",
      headers: { "x-waybill-instance": "diary/d" },
    };
    await desk.shop.publish({ routingKey: "diary.note", message: untyped });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({ reason: "unrouted-reply" });
  });

  it("is taken each time when it has a correlation id of its sender's own and no message id", async () => {
    await desk.start();
    await desk.send("diary.open");
    const headers = { "x-waybill-instance": "diary/d" };
    for (const text of ["a", "b"]) {
      const message = {
        type: "diary.note",
        correlationId: "customer-7",
        body: JSON.stringify({ text }),
        headers,
      };
      await desk.shop.publish({ routingKey: "diary.note", message });
    }
    await eventually(async () => expect(await desk.notes()).toEqual(["a", "b"]));
  });
});
