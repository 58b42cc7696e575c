import type { ActivityArguments, ActivityRun } from "../../src/activity.ts";
import type { WorkerActivities } from "../../src/engine/activities/worker.ts";
import type { Workflow } from "../../src/workflow.ts";
import type { SimulatedProcess } from "./process.ts";
import type { World } from "./world.ts";

/** The workflows with activities that take this process's virtual time and fail now and then. */
export function boundTo(
  world: World,
  process: SimulatedProcess,
  workflows: readonly Workflow[],
): readonly Workflow[] {
  return workflows.map((workflow) => ({
    ...workflow,
    activities: new Map(
      [...workflow.activities].map(([name, rule]) => [
        name,
        { ...rule, run: simulated(world, process, 500) },
      ]),
    ),
  }));
}

/** The code of the queued activities. */
export function activitiesFor(world: World, process: SimulatedProcess): WorkerActivities {
  return {
    errand: {
      craft: simulated(world, process, 700),
      nap: simulated(world, process, 400),
    },
    vigil: {
      keepWatch: simulated(world, process, 2_500),
      doze: simulated(world, process, 1_500),
    },
  };
}

const beatMs = 150;

/** What an activity does besides its work: fail, hang, go on though nobody wants it any more, or keep silent. */
function simulated(world: World, process: SimulatedProcess, longestMs: number): ActivityRun {
  const { chance, faults } = world;
  const happens = (what: string, probability: number) => {
    const hit = !faults.isCalm && chance.hit(probability);
    if (hit) faults.count(`activity ${what}`);
    return hit;
  };
  return ({ signal, heartbeat, idempotencyKey, input, attempt }: ActivityArguments) => {
    const lastsMs = chance.between(5, longestMs);
    // The second one often: an earlier one may be at it still.
    const fails = chance.hit(attempt === 2 ? 0.6 : 0.25);
    const hangs = happens("hangs", 0.03);
    const isStubborn = input !== undefined || happens("goes on unwanted", 0.1);
    return process.gate<unknown>((resolve, reject) => {
      const endsAt = process.clock.monotonic() + lastsMs;
      const goOn = () => {
        if ((signal.aborted && !isStubborn) || hangs) return;
        const leftMs = endsAt - process.clock.monotonic();
        if (leftMs > 0) {
          heartbeat();
          process.clock.after(Math.min(beatMs, leftMs), goOn);
        } else if (fails) reject(new Error("no luck this time"));
        else resolve(input === undefined ? idempotencyKey : { input });
      };
      goOn();
    });
  };
}
