/** A process of the system under test: engine, HTTP, or activity worker, as WAYBILL_ROLES says. */
import { fromEnvironment } from "../../src/configuration.ts";
import { listen } from "../../src/http/listen.ts";
import { waybillRoutes } from "../../src/http/routes.ts";
import type { Observation } from "../../src/observer.ts";
import { createEngine } from "../../src/wiring.ts";
import { chaosWorkflows } from "./voyage.ts";

const troubleMs = 2_000;
let lastTrouble = { message: "", at: 0 };

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 23)} ${line}\n`);
}

function tell(observation: Observation): void {
  if (observation.kind === "partition") {
    const { partition, change, epoch, reason } = observation;
    return say(`partition ${partition} ${change} at epoch ${epoch} ${reason}`);
  }
  if (observation.kind === "rollback") return say(`rollback: ${observation.message}`);
  if (observation.kind !== "trouble") return;
  const { where, message } = observation;
  const now = performance.now();
  if (lastTrouble.message === message && now - lastTrouble.at < troubleMs) return;
  lastTrouble = { message, at: now };
  say(`trouble (${where}) ${message}`);
}

const configuration = fromEnvironment(process.env);
const engine = createEngine({
  ...configuration,
  workflows: chaosWorkflows,
  observer: { observe: tell },
});
process.on("SIGUSR2", () => {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  say(`memory ${JSON.stringify({ rss, heapUsed })}`);
});
// Ctrl-C is for the one that started it.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => void engine.stop().then(() => process.exit(0)));
const { host, port } = configuration;
const server = await listen(waybillRoutes(engine.client), { host, port });
say(`listens on ${server.url}`);
await engine.start();
say("is at work");
