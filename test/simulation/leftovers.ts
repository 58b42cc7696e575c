import { namesFor } from "../../src/routing.ts";
import { MemoryTransport } from "../../transports/memory/transport.ts";
import type { Seating } from "./seating.ts";
import { partitions, prefix, type World } from "./world.ts";

/** Stops everything in good order, and tells what the broker still has: it should be nothing but wake-ups. */
export async function leftInBroker(world: World, seating: Seating): Promise<readonly string[]> {
  const { scheduler, broker, hosts } = world;
  let stopped = false;
  void seating.stop().then(() => {
    stopped = true;
  });
  await scheduler.run(scheduler.now + 7_000, () => stopped);
  const problems = stopped ? [] : ["a graceful stop took more than 7 s"];
  await scheduler.run(scheduler.now + 100);
  for (const host of hosts) world.kill(host);
  await scheduler.run(scheduler.now + 100);
  const names = namesFor(prefix);
  const queues = [
    "sink",
    names.ingress,
    names.activity("errand", "craft"),
    names.activity("errand", "nap"),
    names.activity("vigil", "keepWatch"),
    names.activity("vigil", "doze"),
    ...Array.from({ length: partitions }, (_, number) => names.partition(number)),
  ];
  const reader = new MemoryTransport(broker, { user: "reader" });
  await reader.open();
  for (const queue of queues) {
    const consumer = await reader.consume({
      queue,
      prefetch: 1_000,
      deliver: ({ message }) => {
        if (message.type === "waybill.wake") return;
        problems.push(
          `${queue} still holds ${message.id ?? message.correlationId} (${message.type})`,
        );
      },
      lost: () => undefined,
    });
    await scheduler.run(scheduler.now + 5);
    await consumer.close();
  }
  return problems;
}
