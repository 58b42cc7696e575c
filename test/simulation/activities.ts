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
    errand: { craft: simulated(world, process, 700) },
    vigil: { keepWatch: simulated(world, process, 2_500) },
  };
}

const beatMs = 150;

function simulated(world: World, process: SimulatedProcess, longestMs: number): ActivityRun {
  const { chance, faults } = world;
  return ({ signal, heartbeat, idempotencyKey }: ActivityArguments) => {
    const lastsMs = chance.between(5, longestMs);
    const fails = chance.hit(0.25);
    const hangs = !faults.isCalm && chance.hit(0.03);
    return process.gate<string>((resolve, reject) => {
      const endsAt = process.clock.monotonic() + lastsMs;
      const goOn = () => {
        if (signal.aborted || hangs) return;
        const leftMs = endsAt - process.clock.monotonic();
        if (leftMs > 0) {
          heartbeat();
          process.clock.after(Math.min(beatMs, leftMs), goOn);
        } else if (fails) reject(new Error("no luck this time"));
        else resolve(idempotencyKey);
      };
      goOn();
    });
  };
}
