import { parentPort, workerData } from "node:worker_threads";
import { cutOut } from "./guard-cutter.ts";
import { findMutant } from "./mutants.ts";
import type { Errand } from "./pool.ts";

/** Runs seeds in a thread of its own, with the guard of a mutant cut out of the engine before it is loaded. */
const { mutant: name } = workerData as { readonly mutant?: string };
const mutant = name === undefined ? undefined : findMutant(name);
if (mutant?.cuts !== undefined) cutOut(mutant.cuts);
const { firstCatch, report, runSeeds } = await import("./campaign.ts");

parentPort?.on("message", (errand: Errand) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  void run(errand).then((answer) => parentPort?.postMessage(answer));
});

function run(errand: Errand): Promise<unknown> {
  if (errand.kind === "report") return report(errand.seed, mutant);
  if (errand.kind === "run") return runSeeds(errand.from, errand.count, mutant);
  if (mutant === undefined) throw new Error("There is no mutant to hunt for.");
  return firstCatch(mutant, errand.seeds);
}
