import { WaybillError } from "../../errors.ts";
import type { Durability } from "../../store.ts";
import type { RedisLink } from "./link.ts";
import { type ReplicaGate, shortfall, waits } from "./replica-gate.ts";

/** What was found out about the servers. */
export interface Inspection {
  readonly durability: Durability;
  /** What an operator should change, one sentence each. */
  readonly warnings: readonly string[];
  /** Whether commits fail for want of replicas, as far as is known. */
  readonly lacksReplicas: boolean;
}

const weakestFirst: readonly Durability[] = ["memory", "second", "fsync", "replicated"];

/**
 * Finds out what survives, on the weakest of the masters. With `fsync` it asks the replicas too, for as long as a
 * commit would wait for them; calls on the same connection wait meanwhile.
 * @throws WaybillError `store-unsupported` for a server older than Redis 7, or that cannot do what the gate asks for.
 */
export async function inspect(link: RedisLink, gate: ReplicaGate): Promise<Inspection> {
  const infos = (await link.onEachMaster("info", [])).map((reply) => fieldsOf(String(reply)));
  const policies = await appendfsyncOf(link);
  const syncs = gate.fsync ? await syncsOf(link, gate) : [];
  const found = infos.map((info, index) =>
    inspectOne(info, { appendfsync: policies?.[index], shortfall: syncs[index] }, gate),
  );
  const levels = new Set(found.map(({ durability }) => durability));
  return {
    durability: weakestFirst.find((level) => levels.has(level)) ?? "memory",
    warnings: [...new Set(found.flatMap(({ warnings }) => warnings))],
    lacksReplicas: found.some(({ lacksReplicas }) => lacksReplicas),
  };
}

type Fields = ReadonlyMap<string, string>;

interface Told {
  /** The policy; undefined when the server does not tell. */
  readonly appendfsync: string | undefined;
  /** What replicas lack for commits that wait until they have them on disk. */
  readonly shortfall: WaybillError | undefined;
}

function inspectOne(info: Fields, told: Told, { replicas, fsync }: ReplicaGate): Inspection {
  const version = info.get("redis_version") ?? "";
  if (Number.parseInt(version, 10) < 7) throw unsupported(version);
  const warnings: string[] = [];
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction") {
    warnings.push(
      `Redis may throw away instances when memory is short: set \`maxmemory-policy noeviction\` (it is ${policy}).`,
    );
  }
  const connected = [...info].filter(isCaughtUp).length;
  const lacksReplicas = connected < replicas || told.shortfall !== undefined;
  if (connected < replicas) {
    warnings.push(
      `Redis has ${connected} replicas where commits wait for ${replicas}: they fail until more connect.`,
    );
  } else if (told.shortfall !== undefined) {
    const { message, action } = told.shortfall;
    warnings.push(`Commits fail while this is so: ${message} ${action}`);
  }
  if (fsync) return { durability: syncedLevel(told, warnings), warnings, lacksReplicas };
  const own = ownLevel(info.get("aof_enabled") === "1", told.appendfsync, warnings);
  if (replicas === 0) return { durability: own, warnings, lacksReplicas };
  if (own === "fsync") return { durability: "replicated", warnings, lacksReplicas };
  warnings.push(
    "Commits wait for replicas, but without `appendfsync always` the loss of power of all of them loses some.",
  );
  return { durability: own, warnings, lacksReplicas };
}

/** Whatever its policy is, a commit waits until it is on disk here and there. */
function syncedLevel({ appendfsync }: Told, warnings: string[]): Durability {
  if (appendfsync === "everysec") {
    warnings.push(
      "Each commit waits up to a second for the disk: set `appendfsync always` (it is everysec) on Redis and its replicas.",
    );
  }
  return "replicated";
}

/** What replicas of each master lack; WAITAOF is refused where commits would be. */
async function syncsOf(
  link: RedisLink,
  gate: ReplicaGate,
): Promise<readonly (WaybillError | undefined)[]> {
  const answers: (readonly unknown[])[] = [];
  for (const [command, parameters] of waits(gate)) {
    answers.push(await link.onEachMaster(command, parameters));
  }
  const masters = answers[0] ?? [];
  return masters.map((_, index) => {
    const ofMaster = answers.map((replies) => replies[index]);
    return shortfall(gate, ofMaster);
  });
}

/** A replica that still receives the first copy of everything is connected, but acknowledges nothing. */
function isCaughtUp([name, value]: readonly [string, string]): boolean {
  return /^slave\d+$/.test(name) && value.includes("state=online");
}

/** What one server keeps by itself. */
function ownLevel(
  hasLog: boolean,
  appendfsync: string | undefined,
  warnings: string[],
): "memory" | "second" | "fsync" {
  if (!hasLog) {
    warnings.push(
      "Redis keeps no append-only file, so all is lost when it ends: set `appendonly yes` and `appendfsync always`.",
    );
    return "memory";
  }
  if (appendfsync === undefined) {
    warnings.push(
      "Redis does not tell its `appendfsync` (CONFIG GET is not permitted), so the last second is taken to be at risk.",
    );
    return "second";
  }
  if (appendfsync === "always") return "fsync";
  warnings.push(
    `A loss of power takes the last seconds with it: set \`appendfsync always\` (it is ${appendfsync}).`,
  );
  return "second";
}

/** The policy of each master; undefined when they do not tell. */
async function appendfsyncOf(link: RedisLink): Promise<readonly string[] | undefined> {
  try {
    const replies = await link.onEachMaster("config", ["get", "appendfsync"]);
    return replies.map((reply) => String((reply as readonly unknown[])[1]));
  } catch (error) {
    // Managed servers rename or forbid CONFIG.
    if (error instanceof WaybillError && !error.retryable) return undefined;
    throw error;
  }
}

function fieldsOf(info: string): Fields {
  const pairs = info.split("\r\n").map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)] as const;
  });
  return new Map(pairs);
}

function unsupported(version: string): WaybillError {
  return new WaybillError({
    code: "store-unsupported",
    message: `Redis ${version} is too old: its scripts cannot refuse as a whole when memory is short.`,
    action: "Use Redis 7 or newer, or Valkey.",
  });
}
