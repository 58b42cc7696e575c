/** A process that does the chores of one place, and kills itself at a failpoint: the place as JSON, failpoint, crossing. */
import { writeSync } from "node:fs";
import { type ChorePlace, ChoreRun } from "./chore.ts";

const [, , place = "", failpoint = "", crossing = "1"] = process.argv;
let left = Number(crossing);

const run = new ChoreRun({
  ...(JSON.parse(place) as ChorePlace),
  // Goes past the buffers of the process: it was accepted, and the parent knows.
  accepted: (what) => writeSync(1, `${what}\n`),
  fail: (at) => {
    if (at !== failpoint) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
  },
});
await run.start();
await run.send();
await run.settled();
await run.stop();
