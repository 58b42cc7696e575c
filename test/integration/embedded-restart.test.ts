import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";
import type { Outgoing, Queue, Transport } from "../../src/transport.ts";
import { type EmbeddedBroker, openEmbeddedBroker } from "../../transports/embedded/broker.ts";
import { collect, declareQueues, eventually, toQueue } from "../contracts/transport-lab.ts";

const mail: Queue = { name: "mail", kind: "partition" };

let folder: string;
let file: SqliteFile;
let broker: EmbeddedBroker;
let transport: Transport;

async function start(): Promise<void> {
  file = new SqliteFile(join(folder, "queues.db"), { clock: systemClock });
  broker = openEmbeddedBroker(file, { clock: systemClock });
  transport = broker.connect({ user: "engine" });
  await transport.open();
}

async function stop(): Promise<void> {
  await transport.close();
  await broker.close();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "waybill-"));
  await start();
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

describe("embedded queues after a restart", () => {
  test("hold what was not acknowledged, in order", async () => {
    await declareQueues(transport, mail);
    await transport.publish(toQueue("mail", "1", "2", "3", "4"));
    const before = await collect(transport, "mail", { prefetch: 2 });
    await eventually(() => expect(before.bodies()).toEqual(["1", "2"]));
    before.consumer.ack(before.deliveries.slice(0, 1));
    await eventually(() => expect(before.bodies()).toEqual(["1", "2", "3"]));
    await stop();

    await start();
    await transport.publish(toQueue("mail", "5"));
    const after = await collect(transport, "mail");
    await eventually(() => expect(after.bodies()).toEqual(["2", "3", "4", "5"]));
    expect(after.deliveries.map(({ redeliveries }) => redeliveries)).toEqual([1, 1, 0, 0]);
  });

  test("are there with their bindings before anybody declares them again", async () => {
    const bindings = [{ queue: "mail", exchange: "events", pattern: "letter.*" }] as const;
    await transport.declare({ queues: [mail], bindings });
    await stop();
    await start();
    const letter = { type: "letter.sent", body: "{}" };
    await transport.publish([{ exchange: "events", routingKey: "letter.sent", message: letter }]);
    expect(await transport.depth("mail")).toBe(1);
  });

  test("hold what a consumer acknowledged only after it was closed", async () => {
    await declareQueues(transport, mail);
    await transport.publish(toQueue("mail", "1"));
    const before = await collect(transport, "mail");
    await eventually(() => expect(before.deliveries).toHaveLength(1));
    await before.consumer.close();
    before.consumer.ack(before.deliveries);
    await stop();
    await start();
    await declareQueues(transport, mail);
    expect(await transport.depth("mail")).toBe(1);
  });

  test("keep every field of a message", async () => {
    await declareQueues(transport, mail);
    const message = {
      id: "m",
      type: "t",
      body: "{}",
      replyTo: "r",
      headers: { traceparent: "00" },
    };
    await transport.publish([{ exchange: "", routingKey: "mail", message }]);
    await stop();
    await start();
    await declareQueues(transport, mail);
    const got = await collect(transport, "mail");
    await eventually(() => expect(got.deliveries).toHaveLength(1));
    expect(got.deliveries[0]?.message).toEqual({ ...message, userId: "engine" });
  });

  test("wait for what is left of a delay", async () => {
    await declareQueues(transport, mail);
    const [slow, slower] = toQueue("mail", "slow", "slower");
    const sentAt = performance.now();
    await transport.publish([
      { ...(slow as Outgoing), delayMs: 150 },
      { ...(slower as Outgoing), delayMs: 60_000 },
    ]);
    await stop();
    await start();
    await declareQueues(transport, mail);
    const got = await collect(transport, "mail");
    expect(await transport.depth("mail")).toBe(0);
    await eventually(() => expect(got.bodies()).toEqual(["slow"]));
    expect(performance.now() - sentAt).toBeGreaterThanOrEqual(149);
    expect(performance.now() - sentAt).toBeLessThan(20_000);
  });

  test("do not hold what was answered to the process before", async () => {
    const reply: Queue = { name: "reply", kind: "reply" };
    await declareQueues(transport, reply);
    expect(await transport.publish(toQueue("reply", "1"))).toEqual(["confirmed"]);
    await stop();
    await start();
    await declareQueues(transport, reply);
    expect(await transport.depth("reply")).toBe(0);
  });

  test("answer failed and deliver nothing when a message cannot be written down", async () => {
    await declareQueues(transport, mail);
    const got = await collect(transport, "mail");
    file.execute("PRAGMA max_page_count = 8");
    const batch = [
      ...toQueue("mail", "x".repeat(1_000_000), "small"),
      ...toQueue("nowhere", "returned"),
    ];
    expect(await transport.publish(batch)).toEqual(["failed", "failed", "returned"]);
    file.execute("PRAGMA max_page_count = 1000000");
    expect(await transport.publish(toQueue("mail", "again"))).toEqual(["confirmed"]);
    await eventually(() => expect(got.bodies()).toEqual(["again"]));
  });
});
