/**
 * A process with an embedded engine of one partition, on the file at the path given. What it is sent may kill it; the
 * test starts it again until it comes to rest. It prints each message that was accepted, and at the end what came of all.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { assign, sendParent, setup } from "xstate";
import { z } from "zod";
import {
  type ActivityArguments,
  activity,
  createEngine,
  defineWorkflow,
} from "../../../src/index.ts";

const die = () => process.kill(process.pid, "SIGKILL");

const helper = setup({}).createMachine({
  initial: "busy",
  states: {
    busy: { after: { 20: { target: "over", actions: sendParent({ type: "trap.harm" }) } } },
    over: { type: "final" },
  },
});

/** Those that do no harm take longer than the one that does, so that they are under way when the process ends. */
const work = activity({
  async run({ input: { harm } }: ActivityArguments<{ harm: string }>) {
    await sleep({ activity: 5, late: 1_200 }[harm] ?? 2_000);
    if (harm === "activity" || harm === "late") die();
    return "done";
  },
});

const trap = defineWorkflow({
  name: "trap",
  version: "1",
  events: { "trap.note": z.object({ number: z.number() }), "trap.harm": z.object({}) },
  internal: [],
  machine: setup({
    types: {
      input: {} as { harm: string },
      context: {} as { harm: string; numbers: readonly number[]; worked?: string },
      events: {} as { type: "trap.note"; number: number } | { type: "trap.harm" },
    },
    actors: { helper, work },
    guards: {
      harms: () => {
        die();
        return true;
      },
      hasTimer: ({ context }) => context.harm === "timer",
      hasChild: ({ context }) => context.harm === "child",
      hasWork: ({ context }) => ["activity", "late", "slow"].includes(context.harm),
    },
  }).createMachine({
    context: ({ input }) => ({ harm: input.harm, numbers: [] }),
    initial: "choosing",
    on: {
      "trap.note": {
        actions: assign({ numbers: ({ context, event }) => [...context.numbers, event.number] }),
      },
      "trap.harm": { guard: "harms" },
    },
    states: {
      choosing: {
        always: [
          { guard: "hasTimer", target: "ticking" },
          { guard: "hasChild", target: "helped" },
          { guard: "hasWork", target: "working" },
          { target: "quiet" },
        ],
      },
      ticking: { after: { 20: { guard: "harms", target: "quiet" } } },
      helped: { invoke: { src: "helper", id: "helper" } },
      working: {
        invoke: {
          id: "work",
          src: "work",
          input: ({ context: { harm } }) => ({ harm }),
          onDone: { target: "quiet", actions: assign({ worked: ({ event }) => event.output }) },
          onError: {
            target: "quiet",
            actions: assign({ worked: ({ event }) => (event.error as Error).name }),
          },
        },
      },
      quiet: {},
    },
  }),
});

const [, , path = "", harm = "", accepted = ""] = process.argv;
const known = new Set(accepted.split(","));
const settings = { broker: "embedded:", store: `sqlite:${path}`, prefix: "trap", partitions: 1 };
const engine = createEngine({ workflows: [trap], ...settings });
const { client } = engine;

async function once(name: string, act: () => Promise<unknown>): Promise<void> {
  if (known.has(name)) return;
  await act();
  writeSync(1, `accepted ${name}\n`);
}

function start(id: string): Promise<void> {
  const harmless = harm === "activity" || harm === "late" ? "slow" : "";
  const input = { harm: id === "b" ? harm : harmless };
  return once(`start-${id}`, () => client.startAsync({ workflow: "trap", id, input }));
}

async function notes(id: string): Promise<void> {
  for (let number = 0; number < 6; number += 1) {
    const isHarm = harm === "message" || harm === "early";
    if (isHarm && id === "b" && number === 3) await send(id, "harm", "trap.harm", {});
    await send(id, String(number), "trap.note", { number });
  }
}

async function send(id: string, name: string, type: string, payload: object): Promise<void> {
  const idempotencyKey = `${id}-${name}`;
  const request = { workflow: "trap", id, type, payload: { ...payload }, idempotencyKey };
  await once(idempotencyKey, () => client.sendAsync(request));
}

const ids = ["a", "b", "c"];
await engine.start();
if (harm !== "early") for (const id of ids) await start(id);
for (const id of ids) await notes(id);
if (harm === "early") for (const id of ids) await start(id);
for (;;) {
  const { partitions } = await client.health();
  const left = partitions.reduce((sum, one) => sum + one.outboxEntries, 0);
  const instances = await Promise.all(
    ids.map((id) => client.get("trap", id).catch(() => undefined)),
  );
  const isDone = instances.every(
    (one) => Object(one?.context).numbers?.length === 6 && one?.state !== "working",
  );
  if (isDone && left === 0 && process.uptime() > 1) {
    const { items } = await client.deadLetters();
    const numbers = instances.map((one) => Object(one?.context).numbers);
    const worked = instances.map((one) => Object(one?.context).worked);
    const letters = items.map(({ messageId, type, reason, detail }) => ({
      messageId,
      type,
      reason,
      detail,
    }));
    writeSync(1, `rest ${JSON.stringify({ numbers, letters, worked })}\n`);
    break;
  }
  await sleep(20);
}
await engine.stop();
