import { parseArgs } from "node:util";
import { firstSeed } from "../support/fuzz-budget.ts";
import { measureFailovers } from "./cluster/failovers.ts";
import { measureRecovery } from "./recovery.ts";
import { soak } from "./soak.ts";

const usage = `npm run chaos -- --recovery [--rounds 10] [--only "killed|Redis"] [--seed N]
  Measures how long work stands still after a fault; exits with 1 when a target is missed.
npm run chaos -- --failovers [--rounds 10]
  The same for the loss of a node of a RabbitMQ cluster, and of a Redis master behind Sentinel; they have no target.
npm run soak -- --minutes N [--seed N]
  Lets faults happen by chance to a system at work, and takes the account; exits with 1 when anything is lost.
`;

const values = read();

async function main(): Promise<number> {
  if (values.recovery) {
    const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
    return (await measureRecovery({ rounds, seed, only: new RegExp(values.only) })) ? 0 : 1;
  }
  if (values.failovers) {
    await measureFailovers(Number(values.rounds));
    return 0;
  }
  if (values.soak) {
    const interrupted = new AbortController();
    process.once("SIGINT", () => interrupted.abort());
    const { signal } = interrupted;
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
    return (await soak({ minutes, seed, signal })) ? 0 : 1;
  }
  process.stderr.write(usage);
  return 2;
}

function read() {
  try {
    return parseArgs({
      options: {
        soak: { type: "boolean", default: false },
        minutes: { type: "string", default: "10" },
        recovery: { type: "boolean", default: false },
        failovers: { type: "boolean", default: false },
        only: { type: "string", default: "" },
        rounds: { type: "string", default: "10" },
        seed: { type: "string", default: String(firstSeed) },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}`);
    return process.exit(2);
  }
}

process.exitCode = await main();
