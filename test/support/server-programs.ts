import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dockerAnswers, programsFromImage } from "./server-image.ts";
import { runFolder } from "./test-run.ts";

/** Every program that the tests run, and the package it is in on Debian and Ubuntu. */
const packages: Readonly<Record<string, string>> = {
  "rabbitmq-server": "rabbitmq-server",
  rabbitmqctl: "rabbitmq-server",
  "redis-server": "redis-server",
  "amqp-publish": "amqp-tools",
  "amqp-consume": "amqp-tools",
};

const installsWithinMs = 900_000;
const looksAgainAfterMs = 1_000;

/** Where a program of the servers is; throws what to do when it is nowhere. */
export function serverProgram(name: string): string {
  const found = places()
    .map((place) => join(place, name))
    .find(isProgram);
  if (found !== undefined) return found;
  throw new Error(`${name} was not found. ${process.env["WAYBILL_TEST_ADVICE"] ?? advice([])}`);
}

/** Before the first test of a run looks for the servers, and gets those that are missing where that can be done. */
export async function setup(): Promise<void> {
  const reasons: string[] = [];
  if (missing().length > 0) getFromDocker(reasons);
  if (missing().length > 0) await getFromDebian(reasons);
  if (missing().length === 0) return;
  // The tests that need them fail with it; all others can still tell something.
  process.env["WAYBILL_TEST_ADVICE"] = advice(reasons);
  console.log(`The tests lack ${missing().join(", ")}. ${advice(reasons)}`);
}

/** Folders in the order in which they are searched. */
function places(): readonly string[] {
  // Debian's script on PATH changes the user; the true one is in a folder of its own.
  const usual = ["/usr/lib/rabbitmq/bin", process.env["PATH"]].join(delimiter);
  return (process.env["WAYBILL_TEST_PLACES"] ?? usual).split(delimiter);
}

function missing(): readonly string[] {
  return Object.keys(packages).filter((name) => !places().some((at) => isProgram(join(at, name))));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missingPackages(): readonly string[] {
  return [...new Set(missing().map((name) => packages[name] ?? name))];
}

function getFromDocker(reasons: string[]): void {
  const folder = runFolder();
  if (process.platform !== "linux" || folder === undefined || !dockerAnswers()) {
    reasons.push("No Docker daemon answers.");
    return;
  }
  console.log(`Getting ${missing().join(", ")} as containers; the first time this takes minutes.`);
  try {
    const programs = programsFromImage(folder, missing());
    process.env["WAYBILL_TEST_PLACES"] = [programs, ...places()].join(delimiter);
  } catch (error) {
    reasons.push(error instanceof Error ? error.message : String(error));
  }
}

async function getFromDebian(reasons: string[]): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    reasons.push("Only root on Debian or Ubuntu gets them by itself.");
    return;
  }
  const install = ["install", "--yes", "--no-install-recommends", ...missingPackages()];
  console.log(`Running apt-get ${install.join(" ")}: the tests need them.`);
  const problem = (await aptGet(["update"])) ?? (await aptGet(install));
  if (problem !== undefined) reasons.push(`apt-get failed: ${problem}`);
}

/** Waits while another one holds its lock; gives the end of what it said when it failed. */
async function aptGet(args: readonly string[]): Promise<string | undefined> {
  const endsAt = performance.now() + installsWithinMs;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (;;) {
    const { status, stderr, error } = spawnSync("apt-get", args, { env, encoding: "utf8" });
    if (status === 0) return undefined;
    const said = error?.message ?? stderr;
    if (!/could not get lock|unable to (acquire|lock)/i.test(said) || performance.now() > endsAt) {
      return said.slice(-1_000);
    }
    await sleep(looksAgainAfterMs);
  }
}

function advice(reasons: readonly string[]): string {
  const names = missingPackages().join(" ");
  return [
    ...reasons,
    `On Debian or Ubuntu run \`apt-get install ${names}\` as root; elsewhere put RabbitMQ 3.10,`,
    "Redis 7 and the tools of rabbitmq-c (macOS: `brew install rabbitmq redis rabbitmq-c`) on PATH,",
    "or start a Docker daemon on this Linux; then run the tests again.",
  ].join(" ");
}
