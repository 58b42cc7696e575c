import { expect, test, vi } from "vitest";
import { carrierService } from "../../../machines/order-to-shipment/services/carrier.ts";
import { type MessageService, startService } from "../../../src/cli/service-host.ts";
import { systemClock } from "../../../src/clock.ts";
import type { Message } from "../../../src/message.ts";
import type { Confirmation, Outgoing, Transport } from "../../../src/transport.ts";
import { MemoryBroker } from "../../../transports/memory/broker.ts";
import { MemoryTransport } from "../../../transports/memory/transport.ts";

const echo: MessageService = {
  name: "echo",
  patterns: ["echo.#"],
  handle({ id = "", body, replyTo = "" }) {
    if (body === "bad") throw new Error("not understood");
    return [
      { exchange: "", routingKey: replyTo, message: { id: `re:${id}`, type: "echoed", body } },
    ];
  },
};

/** For busy machines. */
const within = { timeout: 20_000 };

async function bench(service: MessageService, transport?: Transport) {
  const broker = new MemoryBroker({ clock: systemClock });
  const outside = new MemoryTransport(broker, { user: "test" });
  const inside = transport ?? new MemoryTransport(broker, { user: "service" });
  await outside.open();
  await inside.open();
  await outside.declare({
    queues: [
      { name: "answers", kind: "work" },
      { name: "reports", kind: "work" },
    ],
    bindings: [{ queue: "reports", exchange: "inbound", pattern: "#" }],
  });
  const answers: Message[] = [];
  const reports: Message[] = [];
  const hear = (queue: string, heard: Message[]) =>
    outside.consume({
      queue,
      prefetch: 1_000,
      deliver: ({ message }) => heard.push(message),
      lost() {},
    });
  await hear("answers", answers);
  await hear("reports", reports);
  const troubles: string[] = [];
  const start = () =>
    startService({
      transport: inside,
      clock: systemClock,
      service,
      queue: "svc",
      trouble: (message) => troubles.push(message),
    });
  const ask = (type: string, id: string, body: string) =>
    outside.publish([
      { exchange: "events", routingKey: type, message: { id, type, body, replyTo: "answers" } },
    ]);
  return { outside, inside, answers, reports, troubles, start, ask };
}

test("A service answers each request on its reply queue and leaves nothing in its own", async () => {
  const { start, ask, answers, outside } = await bench(echo);
  const host = await start();
  await ask("echo.a", "1", "one");
  await ask("echo.b", "2", "two");
  await vi.waitFor(() => expect(answers.map(({ id }) => id)).toEqual(["re:1", "re:2"]), within);
  await host.stop();
  expect(await outside.depth("svc")).toBe(0);
});

test("Requests that come while the service is stopped wait for it", async () => {
  const { start, ask, answers } = await bench(echo);
  await (await start()).stop();
  await ask("echo.a", "1", "one");
  expect(answers).toEqual([]);
  const host = await start();
  await vi.waitFor(() => expect(answers).toHaveLength(1), within);
  await host.stop();
});

test("A delayed answer keeps its request in the queue until it is out", async () => {
  const { start, ask, answers, reports, outside } = await bench(slowCarrier);
  const booking = JSON.stringify({ orderId: "7", shipVia: 1, shippedDate: "2026-01-05" });
  const first = await start();
  await ask("carrier.book", "1", booking);
  await vi.waitFor(() => expect(answers).toHaveLength(1), within);
  await first.stop();
  expect(reports).toEqual([]);
  expect(await outside.depth("svc")).toBe(1);
  const second = await start();
  await vi.waitFor(() => expect(reports).toHaveLength(1), within);
  expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(["re:1"]));
  expect(reports[0]).toMatchObject({ id: "carrier:delivered:7", type: "carrier.delivered" });
  await vi.waitFor(async () => expect(await outside.depth("svc")).toBe(0), within);
  await second.stop();
  expect(await outside.depth("svc")).toBe(0);
});

test("A request that cannot be understood is told of and does not stop the others", async () => {
  const { start, ask, answers, troubles } = await bench(echo);
  const host = await start();
  await ask("echo.a", "1", "bad");
  await ask("echo.a", "2", "good");
  await vi.waitFor(() => expect(answers.map(({ id }) => id)).toEqual(["re:2"]), within);
  expect(troubles).toEqual(["echo leaves a request unanswered: Error: not understood"]);
  await host.stop();
});

test("An answer that the broker did not confirm is published again", async () => {
  const broker = new MemoryBroker({ clock: systemClock });
  const inside = new FailingOnce(broker, { user: "service" });
  await inside.open();
  await inside.declare({ queues: [{ name: "answers", kind: "work" }], bindings: [] });
  const heard: Message[] = [];
  const options = { queue: "answers", prefetch: 10, lost() {} };
  await inside.consume({ ...options, deliver: ({ message }) => heard.push(message) });
  const host = await startService({
    transport: inside,
    clock: systemClock,
    service: echo,
    queue: "svc",
    trouble() {},
  });
  const message = { id: "1", type: "echo.a", body: "one", replyTo: "answers" };
  await inside.publish([{ exchange: "events", routingKey: "echo.a", message }]);
  inside.failNext = true;
  await vi.waitFor(() => expect(heard).toHaveLength(1), within);
  expect(inside.failNext).toBe(false);
  await host.stop();
  expect(await inside.depth("svc")).toBe(0);
});

/** A parcel takes long enough to stop the service meanwhile. */
const slowCarrier: MessageService = {
  ...carrierService,
  handle: (request) =>
    carrierService
      .handle(request)
      .map((answer) => (answer.delayMs === undefined ? answer : { ...answer, delayMs: 300 })),
};

/** Loses one publish on demand. */
class FailingOnce extends MemoryTransport {
  failNext = false;

  override async publish(batch: readonly Outgoing[]): Promise<readonly Confirmation[]> {
    if (!this.failNext) return super.publish(batch);
    this.failNext = false;
    return batch.map(() => "failed" as const);
  }
}
