import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type CpuUse, cpuBetween, readCpu } from "./cpu.ts";
import { orderDone, orderPacked, orderSignal, orderStart } from "./order.ts";
import { deliver, othersBusy, percentile, perUnit, progress } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";
import { type Heard, Wire } from "./wire.ts";

/** Whole orders: a start, three activities, a signal, a timer that is armed and cancelled, and two messages out. */
const { values: options } = parseArgs({
  options: {
    orders: { type: "string", default: "5000" },
    inFlight: { type: "string", default: "500" },
    rounds: { type: "string", default: "3" },
    partitions: { type: "string", default: "32" },
    aof: { type: "string", default: "always" },
    queued: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const settings = {
  orders: Number(options.orders),
  inFlight: Number(options.inFlight),
  rounds: Number(options.rounds),
  partitions: Number(options.partitions),
  aof: options.aof,
  activities: options.queued ? "queued" : "local",
};
const workflow = `${settings.activities}-order`;
const silenceMs = 60_000;

/** Keeps so many orders under way, answers those that wait for their signal, and notes how long each took. */
class Customers {
  readonly #wire: Wire;
  readonly #startedAt = new Map<string, number>();
  readonly took: number[] = [];
  #next = 0;
  #last = 0;
  #lastNews = performance.now();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Runs so many orders from their start to their end. */
  async run(orders: number): Promise<void> {
    this.#last = this.#next + orders;
    for (let count = 0; count < settings.inFlight; count += 1) this.#place();
    while (this.#startedAt.size > 0) {
      await sleep(10);
      if (performance.now() - this.#lastNews < silenceMs) continue;
      throw new Error(`${this.#startedAt.size} orders never ended.`);
    }
  }

  hear({ type, body }: Heard): void {
    const { id } = body as { readonly id: string };
    this.#lastNews = performance.now();
    const key = `${workflow}/${id}`;
    if (type === orderPacked) {
      this.#publish({ key, messageId: `signal-${id}`, type: orderSignal, body: {} });
    }
    const startedAt = this.#startedAt.get(id);
    if (type !== orderDone || startedAt === undefined) return;
    this.took.push(performance.now() - startedAt);
    this.#startedAt.delete(id);
    this.#place();
  }

  #place(): void {
    if (this.#next >= this.#last) return;
    const id = `o${this.#next}`;
    this.#next += 1;
    this.#startedAt.set(id, performance.now());
    const type = `${workflow}.${orderStart}`;
    this.#publish({ key: `${workflow}/${id}`, messageId: `start-${id}`, type, body: { id } });
  }

  #publish(made: Parameters<Wire["publish"]>[0]): void {
    this.#wire.publish(made, (error) => {
      if (error !== null) throw error;
    });
  }
}

const stage = await openStage(options.aof as Aof);
const place = { broker: stage.broker, prefix: "waybill", partitions: settings.partitions };
const wire = await Wire.open(place, [orderPacked, orderDone]);
const subject = await Subject.start("waybill.ts", { ...place, store: stage.store });
try {
  const customers = new Customers(wire);
  await wire.listen((heard) => customers.hear(heard));
  progress("Warming up");
  await customers.run(settings.orders);
  customers.took.length = 0;
  const uses: CpuUse[] = [];
  for (let round = 0; round < settings.rounds; round += 1) {
    const before = readCpu([subject.pid]);
    await customers.run(settings.orders);
    uses.push(cpuBetween(before, readCpu([subject.pid])));
    progress(`${Math.round(settings.orders / (uses.at(-1)?.seconds ?? 1))} orders/s`);
  }
  const units = settings.orders * settings.rounds;
  const seconds = uses.reduce((sum, use) => sum + use.seconds, 0);
  deliver(
    {
      bench: "orders",
      unit: "one order: start, 3 activities, 1 signal, a timer armed and cancelled, 2 messages out",
      settings,
      othersBusyCores: othersBusy(uses),
      subjects: {
        waybill: {
          perSecond: Math.round(units / seconds),
          cpuUsPerUnit: perUnit(uses, units),
          p50Ms: percentile(customers.took, 0.5),
          p99Ms: percentile(customers.took, 0.99),
        },
      },
    },
    options.json,
  );
} finally {
  await wire.close();
  await subject.stop();
  await stage.close();
}
