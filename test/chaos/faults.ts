import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "amqplib";
import type { Seeded } from "../support/seeded.ts";
import type { ChaosLab } from "./chaos-lab.ts";
import type { Seat } from "./seat.ts";

/** Something that happens to the system, and is over when it resolves. */
export interface Fault {
  readonly name: string;
  readonly strike: (lab: ChaosLab, chance: Seeded) => Promise<void>;
}

export const processFaults: readonly Fault[] = [
  onSeat("an engine is killed", "engine", (seat) => seat.kill()),
  onSeat("an engine is frozen for 7 s and goes on", "engine", (seat) => freeze(seat, 7_000)),
  onSeat("an engine is frozen for 1 s and goes on", "engine", (seat) => freeze(seat, 1_000)),
  onSeat("an engine is stopped in good order", "engine", (seat) => seat.replace()),
  onSeat("a worker is killed", "worker", (seat) => seat.kill()),
  onSeat("a worker is frozen for 4 s and goes on", "worker", (seat) => freeze(seat, 4_000)),
];

export const brokerFaults: readonly Fault[] = [
  fault("RabbitMQ is restarted", async ({ broker }) => {
    await broker.shutDown();
    await broker.run();
  }),
  fault("RabbitMQ is killed and started again", async ({ broker }) => {
    await broker.kill();
    await broker.run();
  }),
  fault("RabbitMQ stands still for 3 s", async ({ broker }) => {
    broker.signal("SIGSTOP");
    await sleep(3_000);
    broker.signal("SIGCONT");
  }),
  fault("RabbitMQ raises its memory alarm for 3 s", async ({ broker }) => {
    await broker.control("set_vm_memory_high_watermark", "absolute", "1MB");
    await sleep(3_000);
    await broker.control("set_vm_memory_high_watermark", "absolute", "1GB");
  }),
];

export const storeFaults: readonly Fault[] = [
  fault("Redis is killed and started again", async ({ redis }) => {
    await redis.kill();
    await sleep(300);
    await redis.run();
  }),
  fault("Redis stands still for 4 s", ({ redis }) => stand(redis, 4_000)),
  fault("Redis forgets its scripts", async ({ redis }) => {
    await redis.command("SCRIPT", "FLUSH");
  }),
  fault("Redis is out of memory for 3 s", async ({ redis }) => {
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    await sleep(3_000);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
  }),
];

export const networkFaults: readonly Fault[] = [
  onNetwork("the connections are cut for 500 ms", async (line) => {
    line.cut();
    await sleep(500);
  }),
  onNetwork("200 ms come to every byte for 3 s", async (line) => {
    line.delay(200);
    await sleep(3_000);
  }),
  onNetwork("what it sends vanishes, on the connections there are", (line) => line.freeze("up")),
  onNetwork("what it is sent vanishes, on the connections there are", (line) =>
    line.freeze("down"),
  ),
  onNetwork("its connections are reset in the middle of a frame", async (line) => {
    line.resetAfter(1_500);
    await sleep(1_000);
  }),
];

/** From one engine to four and back, with a while in between. */
export const scaling = fault("three engines come and, after 4 s, go in good order", async (lab) => {
  const added = await Promise.all([1, 2, 3].map(() => lab.seat("engine")));
  await Promise.all(added.map((seat) => seat.atWork()));
  await sleep(4_000);
  await Promise.all(added.map((seat) => lab.dismiss(seat)));
});

/** RabbitMQ ends the channels of consumers that hold a message for longer than this. */
export const consumerTimeout = fault(
  "Redis stands still for 5 s, and RabbitMQ's consumer timeout of 1 s closes the channels",
  async ({ broker, redis }) => {
    const set = (timeout: string, tick: number) =>
      broker.control(
        "eval",
        `application:set_env(rabbit, consumer_timeout, ${timeout}), application:set_env(rabbit, channel_tick_interval, ${tick}).`,
      );
    await set("1000", 500);
    // Only channels that open from now on look at their consumers that often.
    await broker.control("close_all_connections", "new channel settings");
    await sleep(2_000);
    await stand(redis, 5_000);
    await set("1800000", 60_000);
  },
);

/** Of a folder that holds no more than a few megabytes. */
export function diskFull(folder: string): Fault {
  return fault("Redis ends on a full disk and is started again", async ({ redis }) => {
    const filler = join(folder, "filler");
    try {
      writeFileSync(filler, Buffer.alloc(1 << 30));
    } catch {
      // Whatever fits is in it.
    }
    await redis.ended(20_000);
    rmSync(filler);
    await redis.run();
  });
}

/** What was in the queue goes with it. */
export function queueDeleted(name: string): Fault {
  return fault(`the queue ${name} is deleted`, async ({ broker }) => {
    const connection = await connect(broker.url("guest"));
    const channel = await connection.createChannel();
    await channel.deleteQueue(name);
    await connection.close();
  });
}

function fault(name: string, strike: Fault["strike"]): Fault {
  return { name, strike };
}

function onSeat(name: string, role: Seat["role"], act: (seat: Seat) => Promise<void>): Fault {
  return { name, strike: (lab, chance) => act(chance.pick(lab.victimsOf(role))) };
}

/** Of one process at a time, and one of its two servers. */
function onNetwork(
  name: string,
  act: (line: Seat["lines"][number]) => void | Promise<void>,
): Fault {
  return {
    name,
    strike: async (lab, chance) => {
      const line = chance.pick(chance.pick(lab.seats).lines);
      await act(line);
      line.restore();
    },
  };
}

async function freeze(seat: Seat, lastsMs: number): Promise<void> {
  const thaw = seat.freeze();
  await sleep(lastsMs);
  thaw();
}

async function stand(redis: ChaosLab["redis"], lastsMs: number): Promise<void> {
  redis.signal("SIGSTOP");
  await sleep(lastsMs);
  redis.signal("SIGCONT");
}
