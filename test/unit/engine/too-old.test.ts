import { describe, expect, it } from "vitest";
import { decode } from "../../../src/engine/decode.ts";
import { errand } from "../../support/errand.ts";
import { Planner } from "../../support/planned.ts";

const planner = new Planner([errand({ run: () => "ok" })]);

function arrivalOf(type: string, body: object) {
  const headers = { "x-waybill-instance": "errand/e" };
  const message = { id: "m1", type, userId: "waybill", headers, body: JSON.stringify(body) };
  const delivery = { message, tag: 1, redeliveries: 0 };
  const limits = { bodyBytes: 10_000 };
  const { registry } = planner;
  return decode(delivery, { registry, trustedUser: "waybill", limits, isOurs: () => true });
}

function letterOf(arrival: ReturnType<typeof arrivalOf>): unknown {
  const tooOld = new Set(["errand/e m1"]);
  const [row] = planner.batch([arrival], { tooOld }).deadLetters;
  return JSON.parse(row?.entry ?? "null");
}

describe("a message that is older than the inboxes", () => {
  it("is set aside as it was sent, so that it means the same when it is sent again", () => {
    const news = { childId: "c", generation: 1, news: { kind: "done", output: 1 } };
    expect(letterOf(arrivalOf("waybill.child", news))).toMatchObject({
      reason: "too-old",
      type: "waybill.child",
      body: JSON.stringify(news),
      isInternal: true,
    });
  });

  it("keeps its body also when it came without the broker", () => {
    const local = { ...arrivalOf("errand.call", { now: true }), receipt: { seq: 7 } };
    expect(letterOf(local)).toMatchObject({ type: "errand.call", body: '{"now":true}' });
  });
});
