import { expect, test } from "vitest";
import { z } from "zod";
import { Stepper } from "../../src/engine/step.ts";
import { defineWorkflow } from "../../src/workflow.ts";
import { allStates } from "../../src/workflow-states.ts";
import { eventBudget, firstSeed } from "../support/fuzz-budget.ts";
import { Lockstep, type Progress } from "../support/lockstep.ts";
import { describeMachine, eventTypes, randomMachine } from "../support/random-machine.ts";
import { Seeded } from "../support/seeded.ts";

const eventsPerMachine = 30;

test("random machines do the same as under live XState", () => {
  const endings: Record<Progress, number> = {
    going: 0,
    ended: 0,
    threw: 0,
    illegal: 0,
    "path-dependent": 0,
  };
  let events = 0;
  let seed = firstSeed;
  for (; events < eventBudget; seed++) {
    const run = runMachine(seed);
    events += run.events;
    endings[run.progress]++;
  }
  const machines = seed - firstSeed;
  console.info(`${events} events in ${machines} machines: ${JSON.stringify(endings)}`);
  // More would mean that the comparison is given up too easily.
  expect(endings.illegal + endings["path-dependent"]).toBeLessThan(machines * 0.1);
  expect(endings.ended).toBeGreaterThan(0);
  expect(endings.going).toBeGreaterThan(machines / 5);
});

function runMachine(seed: number): { readonly events: number; readonly progress: Progress } {
  const random = new Seeded(seed);
  const machine = randomMachine(random);
  const played: string[] = [];
  try {
    const handled = allStates(machine)
      .flatMap((state) => [...state.transitions.keys()])
      .filter((type) => !type.startsWith("xstate."));
    const events = Object.fromEntries(handled.map((type) => [type, z.object({})]));
    const workflow = defineWorkflow({ name: "any", version: "1", machine, events });
    const lockstep = new Lockstep(workflow, new Stepper(workflow), undefined);
    let progress = lockstep.start(undefined);
    while (progress === "going" && lockstep.events < eventsPerMachine) {
      const outside = [...eventTypes, "unknown"].map((type) => ({ event: { type } }));
      const plays = lockstep.plays().filter(({ event }) => !isError(event) || random.oneIn(4));
      const play = random.pick([...outside, ...plays]);
      played.push(play.event.type);
      progress = lockstep.play(play);
    }
    lockstep.stop();
    return { events: lockstep.events, progress };
  } catch (difference) {
    const path = played.join(" > ");
    const message = `seed ${seed}: ${path}\n${describeMachine(machine)}`;
    throw new Error(message, { cause: difference });
  }
}

/** Most machines end by an error that they do not handle. */
function isError(event: { readonly type: string }): boolean {
  return event.type.startsWith("xstate.error.");
}
