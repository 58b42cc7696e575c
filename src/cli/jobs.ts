import { generatedOrder } from "../../machines/order-to-shipment/generate.ts";
import { type Order, outcomes } from "../../machines/order-to-shipment/order.ts";
import { systemClock } from "../clock.ts";
import { feedSeries } from "./feed.ts";
import { Progress, pollCounts, takeCounts } from "./progress.ts";
import type { RunReport } from "./report.ts";
import { runOrders } from "./run-orders.ts";
import { type Shop, shopWorkflow } from "./shop.ts";
import { LiveSummary } from "./summary.ts";

const seed = 1;
const ordersPerSecond = 20;
/** The made-up customers stop ordering while this many orders are open. */
const mostOpen = 2_000;

interface Job {
  readonly shop: Shop;
  readonly signal: AbortSignal;
}

/** Makes up orders and shows how they fare, until the signal is aborted. It goes on where an earlier run was. */
export async function generateOrders(job: Job): Promise<void> {
  const progress = newProgress();
  await takeCounts({ ...clientOf(job), progress });
  await shown(job, progress, (signal) =>
    feedSeries({
      ...clientOf(job),
      itemAt: (index) => item(generatedOrder(seed, index)),
      from: progress.all,
      perSecond: ordersPerSecond,
      open: () => progress.open,
      mostOpen,
      signal,
    }),
  );
}

/** Runs a file of orders to their end. */
export async function runFile(job: Job, orders: readonly Order[]): Promise<RunReport> {
  const progress = newProgress(orders.length);
  return shown(job, progress, (signal) =>
    runOrders({ ...clientOf(job), items: orders.map(item), outcomes, signal }),
  );
}

/** Shows the progress on the terminal while the work goes on. */
async function shown<Result>(
  job: Job,
  progress: Progress,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ended = new AbortController();
  const summary = new LiveSummary({
    facts: () => progress.facts(),
    terminal: process.stderr,
    clock: systemClock,
  });
  const polling = pollCounts({ ...clientOf(job), progress, signal: ended.signal });
  summary.start();
  try {
    return await work(job.signal);
  } finally {
    ended.abort();
    await polling;
    await takeCounts({ ...clientOf(job), progress }).catch(() => undefined);
    summary.stop();
  }
}

function newProgress(total?: number): Progress {
  const counted = total === undefined ? {} : { total };
  return new Progress({ clock: systemClock, workflow: shopWorkflow, outcomes, ...counted });
}

function clientOf({ shop }: Job) {
  return { client: shop.engine.client, clock: systemClock, workflow: shopWorkflow };
}

function item(order: Order) {
  return { id: order.orderId, input: order };
}
