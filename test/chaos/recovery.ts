import { setTimeout as sleep } from "node:timers/promises";
import { Seeded } from "../support/seeded.ts";
import { ChaosLab } from "./chaos-lab.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { Seat } from "./seat.ts";
import { type Times, tableOf } from "./times.ts";

/** What was struck: from when on it is measured, and which partitions it is about. */
interface Struck {
  readonly from: number;
  readonly partitions: readonly number[];
  readonly heal?: () => void;
}

interface Trial {
  readonly name: string;
  readonly targetMs: number;
  readonly strike: (lab: ChaosLab, seat: Seat) => Promise<Struck>;
}

type Measured = Trial & Times;

export interface RecoveryOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The faults whose names match. */
  readonly only: RegExp;
}

const patienceMs = 60_000;

const trials: readonly Trial[] = [
  {
    name: "engine killed: from its end",
    targetMs: 5_000,
    strike: async (lab, seat) => {
      const partitions = await lab.ownedBy(seat);
      const from = performance.now();
      await seat.kill();
      return { from, partitions };
    },
  },
  {
    name: "engine frozen: from then on",
    targetMs: 20_000,
    strike: async (lab, seat) => {
      const partitions = await lab.ownedBy(seat);
      const from = performance.now();
      return { from, partitions, heal: seat.freeze() };
    },
  },
  {
    name: "RabbitMQ restarted: since it answers",
    targetMs: 5_000,
    strike: async ({ broker, partitions }) => {
      await broker.shutDown();
      await broker.run();
      return { from: performance.now(), partitions: [...Array(partitions).keys()] };
    },
  },
  {
    name: "Redis restarted: since it answers",
    targetMs: 3_000,
    strike: async ({ redis, partitions }) => {
      await redis.kill();
      await redis.run();
      return { from: performance.now(), partitions: [...Array(partitions).keys()] };
    },
  },
];

/** Measures how long work stands still after each kind of fault, prints a table, and answers whether all targets are met. */
export async function measureRecovery({ rounds, seed, only }: RecoveryOptions): Promise<boolean> {
  const lab = await ChaosLab.open();
  const chance = new Seeded(seed);
  const beats = new Heartbeats(lab);
  try {
    await lab.begin(2, 0);
    await beats.start();
    const measured: Measured[] = [];
    const chosen = trials.filter(({ name }) => only.test(name));
    for (const trial of chosen) measured.push(await measure(trial, { lab, beats, rounds, chance }));
    process.stdout.write(tableOf(measured));
    return measured.every(({ timesMs, targetMs }) => timesMs.every((time) => time <= targetMs));
  } finally {
    await beats.stop();
    await lab.close();
  }
}

async function measure(
  trial: Trial,
  run: {
    readonly lab: ChaosLab;
    readonly beats: Heartbeats;
    readonly rounds: number;
    readonly chance: Seeded;
  },
): Promise<Measured> {
  const { lab, beats, rounds, chance } = run;
  const timesMs: number[] = [];
  while (timesMs.length < rounds) {
    await untilCalm(lab, beats);
    beats.forget();
    const { from, partitions, heal } = await trial.strike(lab, chance.pick(lab.seats));
    // The silence may not have begun yet.
    await sleep(1_000);
    const isBack = await beats.untilSteady(partitions, patienceMs);
    const time = isBack ? Math.max(0, beats.silenceAfter(from, partitions)) : Infinity;
    timesMs.push(Math.round(time));
    process.stderr.write(
      `${trial.name}: ${Math.round(time)} ms, partitions ${partitions.join()}\n`,
    );
    heal?.();
  }
  return { ...trial, timesMs };
}

/** Resolves once every process has its share, and all partitions are at work. */
async function untilCalm(lab: ChaosLab, beats: Heartbeats): Promise<void> {
  await lab.atWork();
  const endsAt = performance.now() + patienceMs;
  for (let calmRounds = 0; calmRounds < 4; ) {
    if (performance.now() > endsAt) throw new Error("It does not come to rest.");
    const shares = await Promise.all(lab.seats.map((seat) => lab.ownedBy(seat).catch(() => [])));
    const owned = shares.flat().length;
    const isShared = shares.every((share) => share.length > 0) && owned === lab.partitions;
    const isSteady = await beats.untilSteady(beats.partitions, 1_500);
    calmRounds = isShared && isSteady ? calmRounds + 1 : 0;
    await sleep(500);
  }
}
