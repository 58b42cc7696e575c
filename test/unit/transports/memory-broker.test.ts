import { beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../../../src/clock.ts";
import type { Consumer, Delivery, Queue } from "../../../src/transport.ts";
import { MemoryBroker } from "../../../transports/memory/broker.ts";
import type { Journal, JournalEntry } from "../../../transports/memory/journal.ts";

/** A clock whose turns and time pass by hand. */
class HandClock implements Clock {
  now = 0;
  readonly waits: number[] = [];
  #soon: (() => void)[] = [];
  #timers: { readonly due: number; readonly task: () => void }[] = [];

  monotonic(): number {
    return this.now;
  }

  wall(): number {
    return this.now;
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  after(delayMs: number, task: () => void): () => void {
    this.waits.push(delayMs);
    const timer = { due: this.now + delayMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  turn(): void {
    const tasks = this.#soon;
    this.#soon = [];
    for (const task of tasks) task();
  }

  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter((timer) => timer.due <= this.now);
    this.#timers = this.#timers.filter((timer) => timer.due > this.now);
    for (const { task } of due) task();
  }
}

let clock: HandClock;
let broker: MemoryBroker;

beforeEach(() => {
  clock = new HandClock();
  broker = new MemoryBroker({ clock });
});

function declare(name: string, kind: Queue["kind"], on: MemoryBroker = broker): void {
  void on.declare({ queues: [{ name, kind }], bindings: [] });
}

function send(queue: string, body: string, delayMs = 0, to: MemoryBroker = broker) {
  return to.publish([{ exchange: "", routingKey: queue, message: { body }, delayMs }]);
}

function listen(queue: string, deliver: (delivery: Delivery) => void, prefetch = 10): Consumer {
  return broker.consume({ queue, prefetch, deliver, lost: () => undefined });
}

describe("the memory broker", () => {
  test("hands out in a turn of its own, never from within a call", async () => {
    declare("q", "work");
    const got: string[] = [];
    listen("q", ({ message }) => got.push(message.body));
    await send("q", "1");
    expect(got).toEqual([]);
    clock.turn();
    expect(got).toEqual(["1"]);
  });

  test("hands out the next ones in a later turn when a consumer acknowledges at once", async () => {
    declare("q", "work");
    const got: string[] = [];
    const consumer = listen(
      "q",
      (delivery) => {
        got.push(delivery.message.body);
        consumer.ack([delivery]);
      },
      1,
    );
    await send("q", "1");
    await send("q", "2");
    clock.turn();
    expect(got).toEqual(["1"]);
    clock.turn();
    expect(got).toEqual(["1", "2"]);
  });

  test("takes competing consumers in turn", async () => {
    declare("q", "work");
    const got: string[] = [];
    for (const name of ["a", "b", "c"]) listen("q", ({ message }) => got.push(name + message.body));
    for (const body of ["1", "2", "3", "4"]) await send("q", body);
    clock.turn();
    expect(got).toEqual(["a1", "b2", "c3", "a4"]);
  });

  test("puts back what several consumers held in the order it first came in", async () => {
    declare("q", "work");
    const consumers = [1, 2].map(() => listen("q", () => undefined));
    for (const body of ["1", "2", "3", "4"]) await send("q", body);
    clock.turn();
    for (const consumer of consumers) await consumer.close();
    const got: string[] = [];
    listen("q", ({ message }) => got.push(message.body));
    clock.turn();
    expect(got).toEqual(["1", "2", "3", "4"]);
  });

  test("does not count a hand-out that a closing consumer never saw", async () => {
    declare("q", "work");
    const second: { consumer?: Consumer } = {};
    listen("q", () => void second.consumer?.close(), 1);
    const seen: number[] = [];
    second.consumer = listen("q", () => seen.push(-1), 1);
    await send("q", "1");
    await send("q", "2");
    clock.turn();
    listen("q", ({ redeliveries }) => seen.push(redeliveries));
    clock.turn();
    expect(seen).toEqual([0]);
  });

  test("holds a message longer than one timer can", async () => {
    declare("q", "work");
    const month = 31 * 86_400_000;
    await send("q", "1", month);
    clock.pass(2 ** 31 - 1);
    expect(broker.queue("q").depth()).toBe(0);
    clock.pass(month - 2 ** 31);
    expect(broker.queue("q").depth()).toBe(0);
    clock.pass(1);
    expect(broker.queue("q").depth()).toBe(1);
    expect(Math.max(...clock.waits)).toBeLessThanOrEqual(2 ** 31 - 1);
  });

  test("keeps the order of a long queue that is worked off", async () => {
    declare("q", "work");
    const got: number[] = [];
    for (let number = 0; number < 5_000; number += 1) await send("q", String(number));
    const consumer = listen(
      "q",
      (delivery) => {
        got.push(Number(delivery.message.body));
        consumer.ack([delivery]);
      },
      400,
    );
    for (let turn = 0; turn < 20; turn += 1) clock.turn();
    expect(got).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
  });

  test("refuses a queue of another kind, and a binding to no queue", async () => {
    declare("q", "work");
    await expect(
      broker.declare({ queues: [{ name: "q", kind: "partition" }], bindings: [] }),
    ).rejects.toThrow('exists as "work", not as "partition"');
    const bindings = [{ queue: "none", exchange: "events", pattern: "#" }] as const;
    await expect(broker.declare({ queues: [], bindings })).rejects.toThrow('no queue "none"');
  });

  test("releases no delayed message after it was closed", async () => {
    declare("q", "work");
    await send("q", "1", 1_000);
    broker.close();
    clock.pass(2_000);
    expect(broker.queue("q").depth()).toBe(0);
  });
});

describe("a broker with a journal", () => {
  test("serves a message only once it is written down, and tells what was handed out and acknowledged", async () => {
    const told: string[] = [];
    let written: () => void = () => undefined;
    const journal: Journal = {
      topology: () => ({ queues: [], bindings: [] }),
      declare: async () => undefined,
      load: (): readonly JournalEntry[] => [],
      append: (entries) => {
        told.push(`append ${entries.map(({ id, queue }) => `${queue}${id}`).join()}`);
        return new Promise((resolve) => {
          written = resolve;
        });
      },
      handOut: (ids) => told.push(`hand out ${ids.join()}`),
      remove: (ids) => told.push(`remove ${ids.join()}`),
    };
    broker = new MemoryBroker({ clock, journal });
    declare("q", "work");
    const consumer = listen("q", (delivery) => {
      told.push("deliver");
      consumer.ack([delivery]);
    });
    const confirmed = send("q", "1");
    clock.turn();
    expect(told).toEqual(["append q1"]);
    written();
    expect(await confirmed).toEqual(["confirmed"]);
    clock.turn();
    expect(told).toEqual(["append q1", "hand out 1", "deliver", "remove 1"]);
  });
});
