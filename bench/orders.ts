import { type CpuUse, cpuBetween, readCpu } from "./cpu.ts";
import { Customers, type Shop, type Took } from "./customers.ts";
import { readOptions, servers } from "./options.ts";
import { orderDone, orderPacked, orderSignal, orderStart } from "./order.ts";
import { deliver, type Figures, othersBusy, percentile, progress, summed } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";
import { Wire } from "./wire.ts";

/**
 * Whole orders: a start, three activities, a signal, a timer that is armed and cancelled, and two messages out.
 *
 * An order's latency is from before its start is published until its last message has been received, so it has in it:
 * the start on its way in, three activities one after the other, `order.packed` on its way out, the customer's signal
 * on its way in, sent as soon as that was heard, and `order.done` on its way out. With `--rate` orders come at a
 * steady rate, whatever is under way, and the two parts are shown beside the whole: `start to packed` is what the order
 * takes before it waits for its signal, `signal to done` is the signal's own way there and back.
 */
const { json, queued, rate, seconds, ...closed } = readOptions({
  name: "orders",
  measures: "Whole orders, each from its start to its last message out.",
  options: {
    orders: [5_000, "orders in a round"],
    inFlight: [500, "orders under way at a time"],
    rounds: [3, "rounds after the first, unmeasured one"],
    ...servers,
    queued: [false, "activities are messages to workers"],
    rate: [0, "measure latency instead, at so many orders a second"],
    seconds: [30, "how long latency is measured"],
  },
});
const activities = queued ? "queued" : "local";
const { partitions, aof } = closed;
const settings =
  rate > 0 ? { rate, seconds, partitions, aof, activities } : { ...closed, activities };
const warmUp = { perSecond: 200, seconds: 5 };

interface Measured {
  readonly uses: readonly CpuUse[];
  readonly subjects: Readonly<Record<string, Figures>>;
}

function latencyOf(took: readonly Took[], read: (took: Took) => number): Figures {
  const values = took.map(read);
  return {
    p50Ms: percentile(values, 0.5),
    p99Ms: percentile(values, 0.99),
    maxMs: percentile(values, 1),
  };
}

/** As many as can be done, with so many under way. */
async function throughput(customers: Customers, pid: number): Promise<Measured> {
  const { orders, inFlight, rounds } = closed;
  await customers.run(orders, inFlight);
  const bytesBefore = await stage.storeBytes();
  const uses: CpuUse[] = [];
  const took: Took[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = readCpu([pid]);
    took.push(...(await customers.run(orders, inFlight)));
    uses.push(cpuBetween(before, readCpu([pid])));
    progress(`${Math.round(orders / (uses.at(-1)?.seconds ?? 1))} orders/s`);
  }
  const wholes = took.map(({ whole }) => whole);
  const bytes = (await stage.storeBytes()) - bytesBefore;
  const figures = {
    ...summed(uses, orders * rounds, wholes),
    storeBytesPerOrder: Math.round(bytes / (orders * rounds)),
  };
  return { uses, subjects: { waybill: figures } };
}

/** How long one takes when they come at a steady rate. */
async function latency(customers: Customers, pid: number): Promise<Measured> {
  await customers.arrive(warmUp.perSecond, warmUp.seconds);
  await customers.arrive(rate, 2);
  progress(`${rate} orders/s for ${seconds} s`);
  const before = readCpu([pid]);
  const took = await customers.arrive(rate, seconds);
  const use = cpuBetween(before, readCpu([pid]));
  return {
    uses: [use],
    subjects: {
      order: {
        ...summed([use], took.length),
        ...latencyOf(took, ({ whole }) => whole),
      },
      "start to packed": latencyOf(took, ({ toPacked }) => toPacked),
      "signal to done": latencyOf(took, ({ toDone }) => toDone),
    },
  };
}

/** Starts and signals as messages of the broker. */
function shopOver(wire: Wire, workflow: string): Shop {
  const publish = (id: string, messageId: string, type: string, body: object) =>
    wire.publish({ key: `${workflow}/${id}`, messageId, type, body }, (error) => {
      if (error !== null) throw error;
    });
  return {
    place: (id) => publish(id, `start-${id}`, `${workflow}.${orderStart}`, { id }),
    collect: (id) => publish(id, `signal-${id}`, orderSignal, {}),
  };
}

const stage = await openStage(aof as Aof);
const place = { broker: stage.broker, prefix: "waybill", partitions };
const wire = await Wire.open(place, [orderPacked, orderDone]);
const subject = await Subject.start("waybill.ts", { ...place, store: stage.store });
try {
  const customers = new Customers(shopOver(wire, `${activities}-order`));
  await wire.listen(({ type, body }) => customers.hear(type, (body as { id: string }).id));
  progress("Warming up");
  const { uses, subjects } = await (rate > 0 ? latency : throughput)(customers, subject.pid);
  deliver(
    {
      bench: "orders",
      unit: "one order: start, 3 activities, 1 signal, a timer armed and cancelled, 2 messages out",
      settings,
      othersBusyCores: othersBusy(uses),
      subjects,
    },
    json,
  );
} finally {
  await wire.close();
  await subject.stop();
  await stage.close();
}
