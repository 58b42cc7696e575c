import { afterEach, beforeEach } from "vitest";
import { type EngineSetup, type RunningEngine, startEngine } from "./memory-engine.ts";
import { memoryWorld } from "./world.ts";

const usualSpeed = 10;

/** The world of the test that runs, and its engines. */
export interface Engines {
  readonly world: ReturnType<typeof memoryWorld>;
  /** Begins in another world, in which time passes so many times as fast as outside. */
  anew(options: { readonly speed: number }): void;
  start(): Promise<RunningEngine>;
}

/** Gives every test of a file a world in memory, and ends what it has started there. */
export function useEngines(setup: EngineSetup): Engines {
  const running: RunningEngine[] = [];
  let world: Engines["world"];
  beforeEach(() => {
    world = memoryWorld({ speed: usualSpeed });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((engine) => engine.stop()));
    await world.end();
  });
  return {
    get world() {
      return world;
    },
    anew(options) {
      world = memoryWorld(options);
    },
    async start() {
      const engine = await startEngine(world, setup);
      running.push(engine);
      return engine;
    },
  };
}
