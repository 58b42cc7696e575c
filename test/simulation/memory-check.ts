import type { Engine } from "../../src/engine/engine.ts";

/** Of one partition; engines keep no more instances than that at hand. */
const mostInstances = 2_000;

/** What engines still keep in memory although there is nothing left to do. */
export function memoryProblems(engines: readonly Engine[]): readonly string[] {
  return engines.flatMap(({ holdings }) =>
    holdings.flatMap(({ instances, ...rest }) => {
      const full = Object.entries(rest).filter(([, count]) => count > 0);
      const kept = full.map(([what, count]) => `an engine at rest still holds ${count} ${what}`);
      return instances > mostInstances ? [...kept, `an engine holds ${instances} instances`] : kept;
    }),
  );
}
