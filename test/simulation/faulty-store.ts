import type { Store } from "../../src/store.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { StoreServer } from "./store-server.ts";
import type { Tail } from "./tail.ts";
import type { Trace } from "./trace.ts";

export interface FaultyStoreOptions {
  readonly store: Store;
  readonly process: SimulatedProcess;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly server: StoreServer;
  /** Takes the id of each commit whose owner learns that it was taken. */
  readonly answered: Set<string>;
  /** Is told what the process learns of partitions, and which it gives away. */
  readonly tail: Pick<Tail, "looked" | "releasing">;
}

/** One process's connection to the store, over which commands and answers take time and get lost. */
export function faultyStore(options: FaultyStoreOptions): Store {
  const { store, process, scheduler, tail } = options;
  const call = <T>(what: string, execute: () => Promise<T>) => command(options, what, execute);
  return {
    open: (opening) => store.open(opening),
    durability: () => store.durability(),
    now: () => call("now", () => store.now()),
    announce: (member, ttlMs) => call("announce", () => store.announce(member, ttlMs)),
    leave: (member) => call("leave", () => store.leave(member)),
    claim: (partition, owner, ms, above) =>
      call(`claim ${partition}`, () => store.claim(partition, owner, ms, above)),
    renew: async (partition, epoch, ms) => {
      let at = 0;
      const renewed = await call(`renew ${partition}`, () => {
        at = scheduler.now;
        return store.renew(partition, epoch, ms);
      });
      tail.looked(process.name, partition, at);
      return renewed;
    },
    release: (partition, epoch) => {
      tail.releasing(process.name, partition);
      return call(`release ${partition}`, () => store.release(partition, epoch));
    },
    load: (partition, keys) => call("load", () => store.load(partition, keys)),
    handled: (partition, key, ids) => call("handled", () => store.handled(partition, key, ids)),
    inbox: (partition, key, query) => call("inbox", () => store.inbox(partition, key, query)),
    outbox: (partition, after, limit) =>
      call("outbox", () => store.outbox(partition, after, limit)),
    due: (partition, limit) => call("due", () => store.due(partition, limit)),
    postpone: (partition, id, delayMs) =>
      call(`postpone ${id}`, () => store.postpone(partition, id, delayMs)),
    commit: async (commit) => {
      const answer = await call(`commit ${commit.commitId}`, () => store.commit(commit));
      if (answer.kind === "committed") options.answered.add(commit.commitId);
      return answer;
    },
    history: (partition, key, after, limit) =>
      call("history", () => store.history(partition, key, after, limit)),
    list: (query) => call("list", () => store.list(query)),
    count: (workflow, terms) => call("count", () => store.count(workflow, terms)),
    deadLetters: (query) => call("deadLetters", () => store.deadLetters(query)),
    loadDeadLetters: (partition, ids) =>
      call("loadDeadLetters", () => store.loadDeadLetters(partition, ids)),
    partitions: () => call("partitions", () => store.partitions()),
    close: () => store.close(),
  };
}

function command<T>(
  { process, scheduler, chance, faults, trace, server }: FaultyStoreOptions,
  what: string,
  execute: () => Promise<T>,
): Promise<T> {
  // The code of a dead process does not run, but a timer of a test helper might.
  if (process.state === "dead") return new Promise(() => {});
  const fate = faults.command();
  if (fate !== "done") trace.say(process.name, `store ${fate}: ${what}`);
  return process.gate<T>((resolve, reject) => {
    const fail = () => reject(new Error(`the store did not answer (${fate})`));
    const failLater = () => {
      // Some clients never tell that a command was lost.
      if (chance.hit(0.5)) scheduler.at(chance.between(5, 2_500), fail);
    };
    const executeAfter = (delayMs: number, then: (answer: Promise<T>) => void) =>
      server.command(process.name, delayMs, () => then(execute()), failLater);
    const answerLater = (answer: Promise<T>) => {
      const settle = (tell: () => void) => server.answer(chance.between(0.1, 2), tell, failLater);
      answer.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
    };
    const ignore = (answer: Promise<T>) => void answer.catch(() => undefined);
    const latencyMs = chance.between(0.2, 3);
    if (fate === "done") executeAfter(latencyMs, answerLater);
    else if (fate === "slow") executeAfter(latencyMs + chance.between(10, 1_500), answerLater);
    else if (fate === "lost") failLater();
    else if (fate === "unanswered") {
      executeAfter(latencyMs, ignore);
      failLater();
    } else {
      scheduler.at(chance.between(1, 300), fail);
      executeAfter(300 + chance.between(0, 3_500), ignore);
    }
  });
}
