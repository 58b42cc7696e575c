import { describe, expect, it } from "vitest";
import { useDesk } from "../../support/diary.ts";
import { deadLetter, deadLetters, eventually } from "../../support/memory-engine.ts";

const desk = useDesk();

describe("an event", () => {
  it("moves its instance, and the answer shows the state after it", async () => {
    await desk.start();
    const answer = await desk.send("diary.open");
    expect(answer).toMatchObject({
      outcome: "applied",
      instance: { state: "open", version: 2, accepts: expect.arrayContaining(["diary.note"]) },
    });
  });

  it("is refused to a requester with what is accepted when the state does not take it", async () => {
    await desk.start();
    await expect(desk.send("diary.shut")).rejects.toMatchObject({
      code: "not-accepted",
      details: {
        state: "shut",
        accepts: ["diary.begin", "diary.break", "diary.open", "diary.spoil"],
      },
    });
    expect(await deadLetters(desk.engine)).toEqual([]);
  });

  it("becomes a dead letter when nobody waits for it and the state does not take it", async () => {
    const notices = await desk.shop.gather("waybill.dead-letter");
    await desk.start();
    await desk.sendAsync("diary.shut", {}, { idempotencyKey: "m1" });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({
      reason: "not-accepted",
      key: "diary/d",
      type: "diary.shut",
      body: "{}",
    });
    await eventually(() =>
      expect(notices.map(({ body }) => JSON.parse(body))).toMatchObject([
        { messageId: "m1", reason: "not-accepted", key: "diary/d" },
      ]),
    );
  });

  it("that is deferred is taken up, in order, once the state takes it", async () => {
    await desk.start();
    for (const text of ["a", "b", "c"]) await desk.sendAsync("diary.note", { text });
    await eventually(async () =>
      expect(await desk.engine.client.get("diary", "d")).toMatchObject({ waiting: 3, version: 1 }),
    );
    await desk.send("diary.open");
    expect(await desk.engine.client.get("diary", "d")).toMatchObject({ waiting: 0, version: 5 });
    expect(await desk.notes()).toEqual(["a", "b", "c"]);
  });

  it("that is deferred until the end becomes a dead letter then", async () => {
    await desk.start();
    await desk.sendAsync("diary.bind", {}, { idempotencyKey: "m1" });
    await desk.told("deferred");
    await desk.send("diary.open");
    expect(await deadLetters(desk.engine)).toEqual([]);
    await desk.send("diary.shut");
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({ reason: "ended", body: "{}" });
    expect(await desk.engine.client.get("diary", "d")).toMatchObject({ waiting: 0 });
  });

  it("that is ignored leaves nothing behind but a count", async () => {
    await desk.start();
    await desk.sendAsync("diary.whisper", { text: "psst" });
    await desk.told("ignored");
    expect(await desk.engine.client.get("diary", "d")).toMatchObject({ version: 1, waiting: 0 });
    expect(await deadLetters(desk.engine)).toEqual([]);
  });

  it("is refused against its schema, to a requester and to an outsider", async () => {
    await desk.start();
    await expect(desk.send("diary.note", { text: 5 })).rejects.toMatchObject({
      code: "invalid-payload",
    });
    await desk.publish("m1", { body: '{"text":5}' });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({
      reason: "invalid-payload",
      body: '{"text":5}',
    });
  });

  it("is refused unless the instance has the version that is asked for", async () => {
    await desk.start();
    await expect(desk.send("diary.open", {}, { ifVersion: 7 })).rejects.toMatchObject({
      code: "version-mismatch",
      details: { version: 1 },
    });
    expect(await desk.send("diary.open", {}, { ifVersion: 1 })).toMatchObject({
      outcome: "applied",
    });
  });

  it("for an unknown workflow or instance is refused", async () => {
    const other = { workflow: "nope", id: "d", type: "diary.open", payload: {} };
    await expect(desk.engine.client.send(other)).rejects.toMatchObject({
      code: "unknown-workflow",
    });
    await expect(desk.send("diary.open")).rejects.toMatchObject({ code: "unknown-instance" });
  });

  it("for an ended instance is refused", async () => {
    await desk.start();
    await desk.send("diary.open");
    await desk.send("diary.shut");
    await expect(desk.send("diary.open")).rejects.toMatchObject({ code: "ended" });
  });
});
