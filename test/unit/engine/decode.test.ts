import { describe, expect, it } from "vitest";
import { decode, findKey } from "../../../src/engine/decode.ts";
import { Registry } from "../../../src/engine/registry.ts";
import type { Message } from "../../../src/message.ts";
import { order } from "../../support/plain-order.ts";

const registry = new Registry([order]);

function read(message: Partial<Message>, { redeliveries = 0, isOurs = true } = {}) {
  return decode(
    { message: { type: "order.paid", body: '{"order":"1"}', ...message }, tag: 1, redeliveries },
    {
      registry,
      trustedUser: "waybill",
      limits: { bodyBytes: 100 },
      isOurs: () => isOurs,
    },
  );
}

const named = { "x-waybill-instance": "order/9" };

describe("whom a message is for", () => {
  it("is told by the header, then by a correlation id of ours, then by what the workflow correlates", () => {
    const correlationId = "order/8/3/1";
    expect(read({ headers: named, correlationId })).toMatchObject({ key: "order/9" });
    expect(read({ correlationId })).toMatchObject({ key: "order/8", request: "3/1" });
    expect(read({})).toMatchObject({ key: "order/1" });
    expect(read({ type: "order.placed", body: '{"id":"7"}' })).toMatchObject({ key: "order/7" });
  });

  it("is nobody when the header is no name, and when user code throws or finds no id", () => {
    expect(read({ headers: { "x-waybill-instance": "order" } })).toMatchObject({
      reason: "no-instance",
    });
    expect(read({ body: "{}" })).toMatchObject({ kind: "unfit", reason: "no-instance" });
    expect(read({ type: "order.placed", body: '{"id":5}' })).toMatchObject({
      reason: "no-instance",
    });
    expect(findKey({ type: "order.paid", body: "" }, { order: "a b" }, registry)).toBeUndefined();
  });

  it("is refused in the queue of another partition", () => {
    expect(read({}, { isOurs: false })).toMatchObject({
      kind: "unfit",
      reason: "no-instance",
    });
  });
});

describe("what a message is", () => {
  it("is a start for a type that starts, and an event for any other", () => {
    expect(read({ type: "order.placed", body: '{"id":"7"}' })).toMatchObject({
      kind: "start",
      input: { id: "7" },
      onConflict: "use-existing",
    });
    expect(read({ id: "m1", timestamp: 5, replyTo: "q" })).toMatchObject({
      kind: "event",
      messageId: "m1",
      bornAt: 5,
      reply: { queue: "q" },
      payload: { order: "1" },
    });
  });

  it("is an empty payload without a body, and unfit when it is too large", () => {
    expect(read({ body: "", headers: named })).toMatchObject({ kind: "event", payload: {} });
    expect(read({ body: `{"x":"${"é".repeat(50)}"}`, headers: named })).toMatchObject({
      reason: "too-large",
    });
    expect(read({ body: `{"x":"${"e".repeat(80)}"}`, headers: named })).toMatchObject({
      kind: "event",
    });
  });

  it.each(["5", "[1]", "null", '"x"', "{"])("is unfit when its body is %s", (body) => {
    expect(read({ body, headers: named })).toMatchObject({
      kind: "unfit",
      reason: "undecodable",
      body,
    });
  });

  it("keeps of its headers only the trace", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(read({ headers: { ...named, traceparent, other: "x" } })).toMatchObject({
      trace: { traceparent },
    });
  });

  it("has an id of its own when it answers a request of ours, and none when its correlation id is another's", () => {
    expect(read({ correlationId: "order/8/3/1" })).toMatchObject({ messageId: "re:order/8/3/1" });
    expect(read({ correlationId: "customer-7" })).not.toHaveProperty("messageId");
  });
});

describe("who may send what", () => {
  const stop = { type: "waybill.stop", body: "{}", headers: named };

  it("leaves the engine's own types and headers to the engine's user", () => {
    expect(read({ ...stop, userId: "waybill" })).toMatchObject({ kind: "stop", key: "order/9" });
    expect(read({ ...stop, userId: "shop" })).toMatchObject({ reason: "reserved-type" });
    expect(read(stop)).toMatchObject({ reason: "reserved-type" });
    const guarded = { headers: { ...named, "x-waybill-if-version": "3" } };
    expect(read({ ...guarded, userId: "waybill" })).toMatchObject({ ifVersion: 3 });
    expect(read({ ...guarded, userId: "shop" })).toMatchObject({ reason: "reserved-type" });
  });

  it("takes the answer of a service that copies all headers of a request that came twice", () => {
    const headers = { ...named, "x-waybill-republished": "1" };
    expect(read({ headers, userId: "shop" })).toMatchObject({ kind: "event", key: "order/9" });
  });

  it("does not trust what the ingress has forwarded under the engine's user", () => {
    const headers = { ...named, "x-waybill-outsider": "1" };
    expect(read({ ...stop, headers, userId: "waybill" })).toMatchObject({
      reason: "reserved-type",
    });
    expect(read({ headers, userId: "waybill" })).toMatchObject({ kind: "event", key: "order/9" });
  });

  it("takes the wishes of operators from the engine's user only", () => {
    const control = { type: "waybill.control", body: '{"action":"retry"}', headers: named };
    expect(read({ ...control, userId: "waybill" })).toMatchObject({
      kind: "control",
      key: "order/9",
      action: "retry",
      isInternal: true,
    });
    expect(read({ ...control, userId: "shop" })).toMatchObject({ reason: "reserved-type" });
    const letter = { type: "waybill.letter", body: '{"action":"drop","letter":"0-x"}' };
    expect(read({ ...letter, userId: "waybill" })).toMatchObject({
      kind: "letter",
      key: "",
      action: "drop",
      letter: "0-x",
    });
    expect(read({ ...letter, userId: "shop" })).toMatchObject({ reason: "reserved-type" });
  });

  it("does not vouch for an outsider's message that is too large to be looked at", () => {
    const body = `{"x":"${"e".repeat(200)}"}`;
    const forged = read({ type: "waybill.stop", body, headers: named, userId: "shop" });
    expect(forged).toMatchObject({ reason: "too-large" });
    expect(forged).not.toHaveProperty("isInternal");
  });

  it("refuses a type of the engine's that no partition understands", () => {
    const reply = { type: "waybill.reply", headers: named, userId: "waybill" };
    expect(read(reply)).toMatchObject({ kind: "unfit", reason: "reserved-type" });
  });
});
