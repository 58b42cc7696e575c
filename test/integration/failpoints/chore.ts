import { setTimeout as sleep } from "node:timers/promises";
import { assign, emit, setup } from "xstate";
import { z } from "zod";
import type { Failpoint } from "../../../src/failpoint.ts";
import {
  type ActivityArguments,
  activity,
  createEngine,
  defineWorkflow,
  type RunningEngine,
} from "../../../src/index.ts";
import type { Outgoing, Transport } from "../../../src/transport.ts";

const keyOf = async ({ idempotencyKey }: ActivityArguments) => idempotencyKey;
const fetched = { local: false, startToClose: "300ms", retry: { initial: "10ms" } } as const;

/** Has all that a process can die between: both kinds of activities, a timer, events that it gets and emits. */
const chore = defineWorkflow({
  name: "chore",
  version: "1",
  events: { "chore.add": z.object({ number: z.number() }) },
  emits: { "chore.added": z.object({ id: z.string(), number: z.number() }) },
  machine: setup({
    types: {
      context: {} as { id: string; numbers: readonly number[]; runs: readonly unknown[] },
      input: {} as { id: string },
      events: {} as { type: "chore.add"; number: number },
      emitted: {} as { type: "chore.added"; id: string; number: number },
    },
    actors: { weigh: activity({ run: keyOf }), fetch: activity({ ...fetched, run: keyOf }) },
    actions: {
      noteRun: assign({ runs: ({ context, event }) => [...context.runs, Object(event).output] }),
    },
  }).createMachine({
    context: ({ input }) => ({ id: input.id, numbers: [], runs: [] }),
    initial: "weighing",
    on: {
      "chore.add": {
        actions: [
          assign({ numbers: ({ context, event }) => [...context.numbers, event.number] }),
          emit(({ context: { id }, event: { number } }) => ({ type: "chore.added", id, number })),
        ],
      },
    },
    states: {
      weighing: {
        invoke: { id: "weigh", src: "weigh", onDone: { target: "resting", actions: "noteRun" } },
      },
      resting: { after: { 30: "fetching" } },
      fetching: {
        invoke: { id: "fetch", src: "fetch", onDone: { target: "open", actions: "noteRun" } },
      },
      open: {},
    },
  }),
});

/** Each in a partition of its own. */
export const ids = ["a", "b", "e"];
/** What each instance is sent by a client, and by a service that knows nothing of ours. */
const asked = [0, 1, 2];
const published = [10, 11, 12];
const perInstance = asked.length + published.length;
/** Busy machines are slow. */
const patienceMs = 45_000;

/** Where the work is kept. */
export interface ChorePlace {
  readonly broker: string;
  readonly store: string;
  readonly prefix: string;
}

export interface ChoreOptions extends ChorePlace {
  /** Is told what was accepted, once it was. */
  readonly accepted: (what: string) => void;
  /** What an earlier process has already had accepted: it is not sent again. */
  readonly known?: ReadonlySet<string>;
  readonly fail?: (at: Failpoint) => void;
}

/** One process that sends what it has to, and stops when all of it is done. */
export class ChoreRun {
  readonly engine: RunningEngine;
  readonly #options: ChoreOptions;
  readonly #queue: string;
  #shop: Transport | undefined;

  constructor(options: ChoreOptions) {
    const { broker, store, prefix, fail } = options;
    const settings = { broker, store, prefix, partitions: 4, limits: { leaseMs: 1_500 } };
    this.engine = createEngine({ workflows: [chore], ...settings, ...(fail && { fail }) });
    this.#options = options;
    this.#queue = `${prefix}.shop`;
  }

  async start(): Promise<void> {
    await this.engine.start({
      before: async () => {
        const shop = this.engine.connect("shop");
        this.#shop = shop;
        await shop.open();
        const queue = this.#queue;
        const bindings = [{ queue, exchange: "events", pattern: "chore.added" } as const];
        await shop.declare({ queues: [{ name: queue, kind: "work" }], bindings });
      },
    });
  }

  /** Sends what was not accepted before, each sender one after the other. */
  async send(): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        await this.#once(`start ${id}`, () => this.#start(id));
        await Promise.all([this.#askAll(id), this.#publishAll(id)]);
      }),
    );
  }

  /** Everything that was emitted, until there are so many different messages. */
  async emitted(count: number): Promise<readonly Outgoing["message"][]> {
    const found: Outgoing["message"][] = [];
    const different = new Set<string>();
    const shop = this.#shop as Transport;
    await new Promise<void>((resolve, reject) => {
      const deliver = ({ message }: { readonly message: Outgoing["message"] }) => {
        found.push(message);
        different.add(message.id ?? "");
        if (different.size >= count) resolve();
      };
      const lost = (reason: string) => reject(new Error(reason));
      shop.consume({ queue: this.#queue, prefetch: 1_000, deliver, lost }).catch(reject);
    });
    return found;
  }

  /** Resolves once every instance is at its end and nothing is left to be done for it. */
  async settled(): Promise<void> {
    const { client } = this.engine;
    await until("All that was sent is done", async () => {
      const instances = await Promise.all(ids.map((id) => client.get("chore", id)));
      const { partitions } = await client.health();
      const left = partitions.reduce((sum, one) => sum + one.outboxEntries + one.timers, 0);
      const isDone = instances.every(
        ({ state, context }) => state === "open" && Object(context).numbers.length >= perInstance,
      );
      return isDone && left === 0;
    });
  }

  async stop(): Promise<void> {
    await this.engine.stop();
    await this.#shop?.close();
  }

  async #once(what: string, send: () => Promise<void>): Promise<void> {
    if (this.#options.known?.has(what) === true) return;
    await send();
    this.#options.accepted(what);
  }

  async #holds(id: string, number: number): Promise<void> {
    const { client } = this.engine;
    await until(`${id} has ${number}`, async () => {
      const { context } = await client.get("chore", id);
      return Object(context).numbers.includes(number);
    });
  }

  async #start(id: string): Promise<void> {
    await this.engine.client.start({ workflow: "chore", id, input: { id } });
  }

  async #askAll(id: string): Promise<void> {
    const { client } = this.engine;
    for (const number of asked) {
      const event = { workflow: "chore", id, type: "chore.add", payload: { number } };
      const idempotencyKey = `${id}-${number}`;
      await this.#once(idempotencyKey, async () => {
        await client.send({ ...event, idempotencyKey });
      });
    }
  }

  async #publishAll(id: string): Promise<void> {
    for (const number of published) {
      const name = `${id}-${number}`;
      const message = {
        id: name,
        type: "chore.add",
        headers: { "x-waybill-instance": `chore/${id}` },
        body: JSON.stringify({ number }),
      };
      await this.#once(name, async () => {
        const outgoing = { exchange: "inbound", routingKey: "chore.add", message } as const;
        const [outcome] = (await this.#shop?.publish([outgoing])) ?? [];
        if (outcome !== "confirmed") throw new Error(`${name} was ${outcome}`);
      });
      await this.#holds(id, number);
    }
  }
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  while (!(await check())) {
    if (performance.now() > endsAt) throw new Error(`It never came to this: ${what}.`);
    await sleep(10);
  }
}

/** The numbers of one instance, as each of its senders has sent them. */
export const numbersOf = { asked, published };
