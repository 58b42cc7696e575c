import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generatedOrder } from "../../../machines/order-to-shipment/generate.ts";
import type { Order } from "../../../machines/order-to-shipment/order.ts";
import { serverProgram } from "../../support/server-programs.ts";
import { getJson, ProcessLab, type Served, serviceNames } from "./lab.ts";

const run = promisify(execFile);
const plain: Order = {
  ...generatedOrder(7, 0),
  items: [{ productId: 1, quantity: 1, unitPrice: 10, discount: 0 }],
  amount: 10,
  shippedDate: "2026-02-03",
};
/** The carrier never reports it, so that it waits until somebody cancels it. */
const waiting: Order = { ...plain, shippedDate: null };

let lab: ProcessLab;
let engine: Served;
beforeAll(async () => {
  lab = await ProcessLab.open();
  await Promise.all(serviceNames.map((name) => lab.service(name)));
  engine = await lab.serve({}, ["--deadlines", "60s"]);
}, 120_000);
afterAll(() => lab.close(), 120_000);

async function stateOf(orderId: string): Promise<unknown> {
  const url = `${engine.url}/workflows/order-to-shipment/instances/${orderId}`;
  return (await getJson<{ state: unknown }>(url)).state;
}

function reaches(orderId: string, state: unknown): Promise<void> {
  return expect.poll(() => stateOf(orderId).catch(String), { timeout: 20_000 }).toEqual(state);
}

describe("Debian's amqp-tools", () => {
  async function publish(type: string, body: object, headers: readonly string[] = []) {
    const to = ["--url", lab.broker.url("guest"), "-e", `${lab.prefix}.inbound`, "-r", type];
    const more = headers.flatMap((header) => ["-H", header]);
    await run(serverProgram("amqp-publish"), [...to, "-p", ...more, "-b", JSON.stringify(body)]);
  }

  /** The body of the first message of this type that comes from now on. */
  async function consumeOne(type: string): Promise<{ readonly body: Promise<unknown> }> {
    const url = ["--url", lab.broker.url("guest")];
    const from = ["-e", `${lab.prefix}.events`, "-r", type, "-c", "1"];
    const child = spawn(serverProgram("amqp-consume"), [...url, ...from, "cat"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += String(chunk);
    });
    const ended = once(child, "exit");
    const bindings = () => lab.broker.control("list_bindings", "source_name", "routing_key");
    // Nothing else is bound by just this type.
    await expect.poll(bindings).toContain(`${lab.prefix}.events\t${type}\n`);
    return { body: ended.then(() => JSON.parse(text) as unknown) };
  }

  test("start an order, hear of its delivery, and cancel another one", async () => {
    const delivered = await consumeOne("order.delivered");
    await publish("order.placed", { ...plain, orderId: "tools-1" });
    expect(await delivered.body).toEqual({ orderId: "tools-1" });
    await reaches("tools-1", "delivered");

    await publish("order.placed", { ...waiting, orderId: "tools-2" });
    await reaches("tools-2", { shipping: "underway" });
    const cancelled = await consumeOne("order.cancelled");
    const headers = ["x-waybill-instance: order-to-shipment/tools-2"];
    await publish("order.cancel", { reason: "changed my mind" }, headers);
    expect(await cancelled.body).toMatchObject({ orderId: "tools-2" });
    await reaches("tools-2", "cancelled");
  });

  test("need no header where the payload names the instance", async () => {
    await publish("order.placed", { ...waiting, orderId: "tools-3" });
    await reaches("tools-3", { shipping: "underway" });
    await publish("order.cancel", { reason: "changed my mind", orderId: "tools-3" });
    await reaches("tools-3", "cancelled");
  });
});

describe("a client with plain amqplib and a user of its own", () => {
  let connection: ChannelModel;
  let channel: Channel;
  let replyTo: string;
  const answers = new Map<string, Record<string, unknown>>();

  beforeAll(async () => {
    connection = await connect(lab.broker.url("guest"));
    channel = await connection.createChannel();
    ({ queue: replyTo } = await channel.assertQueue("", { exclusive: true }));
    await channel.consume(
      replyTo,
      (message) => {
        if (message === null) return;
        const body = JSON.parse(message.content.toString()) as Record<string, unknown>;
        answers.set(String(message.properties.correlationId), body);
      },
      { noAck: true },
    );
  });
  afterAll(() => connection.close());

  async function ask(type: string, body: object, correlationId: string, messageId?: string) {
    const properties = { type, correlationId, replyTo, ...(messageId && { messageId }) };
    const content = Buffer.from(JSON.stringify(body));
    channel.publish(`${lab.prefix}.inbound`, type, content, { ...properties, persistent: true });
    await expect.poll(() => answers.get(correlationId), { timeout: 20_000 }).toBeDefined();
    return answers.get(correlationId);
  }

  test("gets the started instance back, and the same one when it asks again", async () => {
    const order = { ...plain, orderId: "client-1" };
    const first = await ask("order.placed", order, "question 1", "start client-1");
    expect(first).toMatchObject({ outcome: "created", instance: { id: "client-1" } });
    await reaches("client-1", "delivered");
    const again = await ask("order.placed", order, "question 2", "start client-1");
    expect(again).toMatchObject({ outcome: "existing", instance: { id: "client-1" } });
    expect(again).toMatchObject({ instance: { state: "delivered", status: "done" } });
  });

  test("gets the state after its event", async () => {
    const order = { ...waiting, orderId: "client-2" };
    await ask("order.placed", order, "question 3");
    await reaches("client-2", { shipping: "underway" });
    const cancel = { reason: "too dear", orderId: "client-2" };
    const answer = await ask("order.cancel", cancel, "question 4");
    expect(answer).toMatchObject({ outcome: "applied", instance: { id: "client-2" } });
    await reaches("client-2", "cancelled");
    expect(await ask("order.cancel", cancel, "question 5")).toMatchObject({
      problem: { code: "ended" },
    });
  });

  test("gets a problem that says what is wrong", async () => {
    const order = { ...plain, orderId: "client-3", amount: "a lot" };
    expect(await ask("order.placed", order, "question 6")).toMatchObject({
      problem: { code: "invalid-payload", message: expect.stringContaining("/amount") },
    });
    const nobody = { reason: "none", orderId: "client-4" };
    expect(await ask("order.cancel", nobody, "question 7")).toMatchObject({
      problem: { code: "unknown-instance" },
    });
  });
});
