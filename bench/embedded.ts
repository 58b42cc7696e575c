import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createActor } from "xstate";
import { createEngine } from "../src/index.ts";
import { Metrics } from "../src/telemetry/metrics.ts";
import { type CpuUse, cpuBetween, readCpu } from "./cpu.ts";
import { Customers } from "./customers.ts";
import { readOptions } from "./options.ts";
import { localOrder, orderDone, orderPacked, orderSignal } from "./order.ts";
import { parcel, parcelMachine, scans } from "./parcel.ts";
import { deliver, othersBusy, progress, quotient, speedOf, summed } from "./report.ts";

/**
 * One process and one SQLite file, every event on the disk before it is answered. With `--orders` whole orders
 * instead: start, three local activities, a signal, a timer armed and cancelled, and two messages out. Starts and
 * signals are sent as soon as the file has the one before, and a consumer in the same process takes what comes out.
 */
const { json, ...settings } = readOptions({
  name: "embedded",
  measures:
    "Events, or whole orders, in one process with one SQLite file that is synced in every commit.",
  options: {
    events: [5_000, "events in a round"],
    instances: [500, "instances that the events are for, in turn"],
    inFlight: [200, "events, or orders, under way at a time"],
    rounds: [3, "rounds after the first, unmeasured one"],
    orders: [0, "measure whole orders instead, so many in a round"],
  },
});
const units = settings.orders || settings.events;

interface Runner {
  readonly name: string;
  /** Plays the next events or orders; how long each took, in milliseconds. */
  readonly play: (units: number) => Promise<readonly number[]>;
  readonly close: () => Promise<void>;
  readonly uses: CpuUse[];
  readonly took: number[];
}

const note = "x".repeat(150);
function eventFor(index: number) {
  const type = scans[Math.floor(index / settings.instances) % scans.length] ?? scans[0];
  return { id: `p${index % settings.instances}`, type, payload: { amount: 1, note } };
}

async function openEngine(folder: string): Promise<Runner> {
  const store = `sqlite:${join(folder, "engine.db")}`;
  const engine = createEngine({ workflows: [parcel], store, observer: new Metrics() });
  await engine.start();
  const { client } = engine;
  for (let index = 0; index < settings.instances; index += 1) {
    await client.start({ workflow: "parcel", id: `p${index}`, input: { id: `p${index}` } });
  }
  let next = 0;
  async function play(events: number): Promise<readonly number[]> {
    const last = next + events;
    const took: number[] = [];
    const worker = async () => {
      while (next < last) {
        const { id, type, payload } = eventFor(next);
        next += 1;
        const began = performance.now();
        await client.send({ workflow: "parcel", id, type, payload: { id, ...payload } });
        took.push(performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: settings.inFlight }, worker));
    return took;
  }
  return { name: "waybill", play, close: () => engine.stop(), uses: [], took: [] };
}

/** As one writes it: a transaction for each event with its state, a row of history, and what goes out. */
function openByHand(folder: string): Runner {
  const db = new DatabaseSync(join(folder, "by-hand.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE parcel (id TEXT PRIMARY KEY, snapshot TEXT NOT NULL)");
  db.exec("CREATE TABLE history (id TEXT, event TEXT)");
  db.exec("CREATE TABLE outbox (id INTEGER PRIMARY KEY, message TEXT)");
  const load = db.prepare("SELECT snapshot FROM parcel WHERE id = ?");
  const save = db.prepare("INSERT OR REPLACE INTO parcel VALUES (?, ?)");
  const remember = db.prepare("INSERT INTO history VALUES (?, ?)");
  const send = db.prepare("INSERT INTO outbox (message) VALUES (?)");
  for (let index = 0; index < settings.instances; index += 1) {
    const id = `p${index}`;
    const actor = createActor(parcelMachine, { input: { id } }).start();
    save.run(id, JSON.stringify(actor.getPersistedSnapshot()));
  }
  let next = 0;
  function handle(): void {
    const { id, type, payload } = eventFor(next);
    next += 1;
    const { snapshot } = load.get(id) as { snapshot: string };
    const actor = createActor(parcelMachine, { snapshot: JSON.parse(snapshot) } as never);
    const emitted: object[] = [];
    actor.on("*", (one) => emitted.push(one));
    actor.start();
    const event = { type, id, ...payload };
    actor.send(event);
    db.exec("BEGIN IMMEDIATE");
    save.run(id, JSON.stringify(actor.getPersistedSnapshot()));
    remember.run(id, JSON.stringify(event));
    for (const one of emitted) send.run(JSON.stringify(one));
    db.exec("COMMIT");
    actor.stop();
  }
  async function play(events: number): Promise<readonly number[]> {
    return Array.from({ length: events }, () => {
      const began = performance.now();
      handle();
      return performance.now() - began;
    });
  }
  return { name: "byHand", play, close: async () => db.close(), uses: [], took: [] };
}

async function openOrders(folder: string): Promise<Runner> {
  const store = `sqlite:${join(folder, "orders.db")}`;
  const engine = createEngine({ workflows: [localOrder], store, observer: new Metrics() });
  await engine.start();
  const { client } = engine;
  const workflow = localOrder.name;
  const customers = new Customers({
    place: (id) => void client.startAsync({ workflow, id, input: { id } }),
    collect: (id) => void client.sendAsync({ workflow, id, type: orderSignal, payload: {} }),
  });
  const customer = engine.connect("customer");
  await customer.open();
  const queue = "customer";
  await customer.declare({
    queues: [{ name: queue, kind: "work" }],
    bindings: [orderPacked, orderDone].map((pattern) => ({ queue, exchange: "events", pattern })),
  });
  const consumer = await customer.consume({
    queue,
    prefetch: 1_000,
    deliver(delivery) {
      const { type = "", body } = delivery.message;
      customers.hear(type, (JSON.parse(body) as { id: string }).id);
      consumer.ack([delivery]);
    },
    lost(reason) {
      throw new Error(reason);
    },
  });
  return {
    name: "waybill",
    play: async (orders) =>
      (await customers.run(orders, settings.inFlight)).map(({ whole }) => whole),
    close: async () => {
      await customer.close();
      await engine.stop();
    },
    uses: [],
    took: [],
  };
}

const folder = mkdtempSync(join(tmpdir(), "waybill-bench-"));
const runners =
  settings.orders > 0 ? [await openOrders(folder)] : [await openEngine(folder), openByHand(folder)];
try {
  progress("Warming up");
  for (const { play } of runners) await play(units);
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const { name, play, uses, took } of runners) {
      const before = readCpu([process.pid]);
      took.push(...(await play(units)));
      uses.push(cpuBetween(before, readCpu([process.pid])));
      progress(`${name}: ${Math.round(units / (uses.at(-1)?.seconds ?? 1))}/s`);
    }
  }
  const played = units * settings.rounds;
  const figures = runners.map(
    ({ name, uses, took }) => [name, summed(uses, played, took)] as const,
  );
  const [[, waybill] = [], [, byHand] = []] = figures;
  deliver(
    {
      bench: "embedded",
      unit:
        settings.orders > 0
          ? "one order: start, 3 activities, 1 signal, a timer armed and cancelled, 2 messages out"
          : "one event sent, applied, on the disk and answered",
      settings,
      othersBusyCores: othersBusy(runners.flatMap(({ uses }) => uses)),
      subjects: Object.fromEntries(figures),
      ...(byHand !== undefined && {
        ratio: { "waybill speed / byHand speed": quotient(waybill, byHand, speedOf) },
      }),
    },
    json,
  );
} finally {
  for (const { close } of runners) await close();
  rmSync(folder, { recursive: true, force: true });
}
