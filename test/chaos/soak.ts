import { setTimeout as sleep } from "node:timers/promises";
import { Seeded } from "../support/seeded.ts";
import { type Account, accountLine, settledAccount, takeAccount } from "./account.ts";
import { ChaosLab } from "./chaos-lab.ts";
import { brokerFaults, type Fault, networkFaults, processFaults, storeFaults } from "./faults.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { Workload } from "./workload.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Ends it early, with its account. */
  readonly signal: AbortSignal;
}

const voyageEveryMs = 500;
const chapterMs = 60_000;
const progressMs = 10_000;
const restMs = 120_000;
const shownProblems = 20;

/** A minute of the workload, judged by itself and then forgotten, so that the watchers do not grow. */
interface Chapter {
  readonly workload: Workload;
  account: Account | undefined;
}

/** Lets faults happen by chance to a system at work for as long as it shall; answers whether all was kept. */
export async function soak({ minutes, seed, signal }: SoakOptions): Promise<boolean> {
  say(`seed ${seed}: repeat with --seed ${seed}`);
  const lab = await ChaosLab.open();
  const memory = new MemoryWatch(lab);
  const chapters: Chapter[] = [];
  const counts = new Map<string, number>();
  try {
    await lab.begin(3, 2);
    // One of each is left alone, so that its memory can be followed.
    for (const seat of [lab.seats[0], lab.seats[3]]) if (seat) seat.isSpared = true;
    const endsAt = performance.now() + minutes * 60_000;
    const goesOn = () => performance.now() < endsAt && !signal.aborted;
    const progress = setInterval(() => {
      const leftSeconds = Math.max(0, Math.round((endsAt - performance.now()) / 1_000));
      say(`${leftSeconds} s left; ${progressLine(lab, chapters, counts)}`);
    }, progressMs);
    await Promise.all([
      write(lab, chapters, { goesOn, seed }),
      strike(lab, counts, { goesOn, seed }),
      memory.follow(goesOn),
    ]);
    clearInterval(progress);
    say("the faults are over; coming to rest");
    return await conclude(lab, chapters, { counts, memory });
  } finally {
    await lab.close();
  }
}

interface Run {
  readonly goesOn: () => boolean;
  readonly seed: number;
}

/** One chapter after the other; earlier ones are judged while the next ones are written. */
async function write(lab: ChaosLab, chapters: Chapter[], { goesOn, seed }: Run): Promise<void> {
  while (goesOn()) {
    const workload = lab.workload(seed * 1_000 + chapters.length);
    chapters.push({ workload, account: undefined });
    const endsAt = performance.now() + chapterMs;
    await workload.play(() => goesOn() && performance.now() < endsAt, voyageEveryMs);
    await judgeEarlier(lab, chapters);
  }
}

/** What is not in order yet is looked at again later. */
async function judgeEarlier(lab: ChaosLab, chapters: readonly Chapter[]): Promise<void> {
  for (const chapter of chapters.slice(0, -1)) {
    const { workload } = chapter;
    if (chapter.account !== undefined || workload.waiting.length > 0) continue;
    const evidence = { ...lab.evidence(workload, Infinity), goesOn: true };
    const account = await takeAccount(evidence).catch(() => undefined);
    if (account === undefined || account.problems.length > 0) continue;
    chapter.account = account;
    await workload.close();
    lab.sink.forget((id) => workload.owns(id));
    workload.accepted.clear();
    workload.started.clear();
  }
}

async function strike(
  lab: ChaosLab,
  counts: Map<string, number>,
  { goesOn, seed }: Run,
): Promise<void> {
  const chance = new Seeded(seed);
  const kinds: readonly (readonly Fault[])[] = [
    processFaults,
    processFaults,
    networkFaults,
    storeFaults,
    brokerFaults,
  ];
  while (goesOn()) {
    await sleep(2_000 + chance.below(6_000));
    if (!goesOn()) return;
    const { name, strike: act } = chance.pick(chance.pick(kinds));
    say(`FAULT ${name}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    await act(lab, chance);
  }
}

async function conclude(
  lab: ChaosLab,
  chapters: readonly Chapter[],
  {
    counts,
    memory,
  }: { readonly counts: ReadonlyMap<string, number>; readonly memory: MemoryWatch },
): Promise<boolean> {
  const calmSince = Date.now();
  for (const chapter of chapters) {
    if (chapter.account !== undefined) continue;
    await chapter.workload.done(restMs);
    chapter.account = await settledAccount(lab.evidence(chapter.workload, calmSince), restMs);
  }
  const total = sumOf(chapters.flatMap(({ account }) => account ?? []));
  const problems = [...total.problems, ...(await memory.problems())];
  say(`faults: ${[...counts].map(([name, count]) => `${count}× ${name}`).join("; ")}`);
  for (const line of await memory.report(total.instances)) say(line);
  for (const problem of problems.slice(0, shownProblems)) say(`PROBLEM ${problem}`);
  say(accountLine(total));
  say(problems.length === 0 ? "everything was kept" : `${problems.length} problems`);
  return problems.length === 0;
}

function sumOf(accounts: readonly Account[]): Account {
  const sum = (pick: (account: Account) => number) =>
    accounts.reduce((total, account) => total + pick(account), 0);
  return {
    instances: sum(({ instances }) => instances),
    accepted: sum(({ accepted }) => accepted),
    applied: sum(({ applied }) => applied),
    parked: sum(({ parked }) => parked),
    duplicates: sum(({ duplicates }) => duplicates),
    republished: sum(({ republished }) => republished),
    lost: sum(({ lost }) => lost),
    problems: accounts.flatMap(({ problems }) => problems),
  };
}

function progressLine(
  lab: ChaosLab,
  chapters: readonly Chapter[],
  counts: ReadonlyMap<string, number>,
): string {
  const open = chapters.filter(({ account }) => account === undefined);
  const judged = chapters.reduce((sum, { account }) => sum + (account?.accepted ?? 0), 0);
  const accepted = open.reduce((sum, { workload }) => sum + workload.accepted.size, judged);
  const waiting = open.reduce((sum, { workload }) => sum + workload.waiting.length, 0);
  const faults = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return `${accepted} accepted, ${judged} of them judged, ${waiting} under way; ${faults} faults, ${lab.deaths} deaths`;
}

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}
