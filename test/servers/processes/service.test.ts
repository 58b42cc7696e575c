import { type Channel, type ConsumeMessage, connect } from "amqplib";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Child } from "../../support/child-process.ts";
import { ProcessLab } from "./lab.ts";

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const items = [{ productId: 1, quantity: 1, unitPrice: 1, discount: 0 }];

let lab: ProcessLab;
let child: Child;
beforeAll(async () => {
  lab = await ProcessLab.open();
}, 120_000);
afterAll(() => lab.close(), 120_000);
beforeEach(async () => {
  child = await lab.service("stock");
});
afterEach(async () => {
  const code = await child.end("SIGTERM");
  if (code !== 0) throw new Error(`it ended with ${code}:\n${child.text}`);
});

/** Does something on a channel of a client, which is gone afterwards. */
async function onChannel<Result>(act: (channel: Channel) => Promise<Result>): Promise<Result> {
  const connection = await connect(lab.broker.url("engine"));
  try {
    return await act(await connection.createChannel());
  } finally {
    await connection.close();
  }
}

/** The answer to one request. */
function ask(id: string, body = JSON.stringify({ orderId: id, items })): Promise<ConsumeMessage> {
  return onChannel(async (channel) => {
    const { queue: replyTo } = await channel.assertQueue("", { exclusive: true });
    const answer = new Promise<ConsumeMessage>((resolve, reject) => {
      const hear = (message: ConsumeMessage | null) =>
        message === null ? reject(new Error("its queue was deleted")) : resolve(message);
      channel.consume(replyTo, hear, { noAck: true }).catch(reject);
    });
    const headers = { traceparent: trace, "x-waybill-other": "not passed on" };
    const properties = { type: "stock.reserve", messageId: id, correlationId: `c-${id}`, replyTo };
    channel.publish(`${lab.prefix}.events`, "stock.reserve", Buffer.from(body), {
      ...properties,
      headers,
    });
    return answer;
  });
}

test("a service answers as in any AMQP RPC, under its own user and within the request's trace", async () => {
  const { properties, content } = await ask("one");
  expect(JSON.parse(content.toString())).toEqual({ reservationId: "R-one" });
  expect(properties).toMatchObject({
    messageId: "re:one",
    correlationId: "c-one",
    type: "stock.reserved",
    userId: "guest",
    deliveryMode: 2,
    headers: { traceparent: trace },
  });
  expect(Object.keys(properties.headers ?? {})).toEqual(["traceparent"]);
});

test("a service comes back by itself when the broker was restarted", async () => {
  // In good order: RabbitMQ 3.10 forgets queues that were made just before a crash.
  await lab.broker.shutDown();
  await lab.broker.run();
  expect((await ask("two")).properties.messageId).toBe("re:two");
}, 120_000);

test("a service goes on when its queue was deleted", async () => {
  await onChannel((channel) => channel.deleteQueue(`${lab.prefix}.shop.stock`));
  await expect
    .poll(() => child.text.match(/takes requests/g)?.length, { timeout: 20_000 })
    .toBeGreaterThan(1);
  expect((await ask("three")).properties.messageId).toBe("re:three");
});

test("a service says what it cannot understand, and goes on", async () => {
  const lost = onChannel(async (channel) => {
    channel.publish(`${lab.prefix}.events`, "stock.reserve", Buffer.from("not JSON"), {});
    await channel.checkQueue(`${lab.prefix}.shop.stock`);
  });
  await lost;
  await child.says(/leaves a request unanswered/);
  expect((await ask("four")).properties.messageId).toBe("re:four");
});
