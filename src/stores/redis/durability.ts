import { WaybillError } from "../../errors.ts";
import type { Durability } from "../../store.ts";
import { noLog, type TooFewReplicas } from "./failures.ts";
import type { RedisLink } from "./link.ts";
import type { ReplicaGate } from "./replica-gate.ts";

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
 * Finds out what survives, on the weakest of the masters.
 * @throws WaybillError `store-unsupported` for a server older than Redis 7, or that cannot do what commits wait for.
 */
export async function inspect(link: RedisLink, gate: ReplicaGate): Promise<Inspection> {
  const infos = (await link.onEachMaster("info", [])).map((reply) => fieldsOf(String(reply)));
  const policies = await appendfsyncOf(link);
  // It waits for nothing, and fails where there is no such command.
  if (gate.fsync) await link.onEachMaster("waitaof", [0, 0, 0]);
  const found = infos.map((info, index) => inspectOne(info, policies?.[index], gate));
  const levels = new Set(found.map(({ durability }) => durability));
  return {
    durability: weakestFirst.find((level) => levels.has(level)) ?? "memory",
    warnings: [...new Set(found.flatMap(({ warnings }) => warnings))],
    lacksReplicas: found.some(({ lacksReplicas }) => lacksReplicas),
  };
}

type Fields = ReadonlyMap<string, string>;

function inspectOne(
  info: Fields,
  appendfsync: string | undefined,
  { replicas, fsync }: ReplicaGate,
): Inspection {
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
  const lacksReplicas = connected < replicas;
  if (lacksReplicas) {
    warnings.push(
      `Redis has ${connected} replicas where commits wait for ${replicas}: they fail until more connect.`,
    );
  }
  const hasLog = info.get("aof_enabled") === "1";
  if (fsync) {
    if (!hasLog) throw noLog();
    return { durability: syncedLevel(appendfsync, warnings), warnings, lacksReplicas };
  }
  const own = ownLevel(hasLog, appendfsync, warnings);
  if (replicas === 0) return { durability: own, warnings, lacksReplicas };
  if (own === "fsync") return { durability: "replicated", warnings, lacksReplicas };
  warnings.push(
    "Commits wait for replicas, but without `appendfsync always` the loss of power of all of them loses some.",
  );
  return { durability: own, warnings, lacksReplicas };
}

/** What an operator should know when commits fail for want of replicas. */
export function shortfallWarning({ message, action }: TooFewReplicas): string {
  return `Commits fail while this is so: ${message} ${action}`;
}

/** Whatever its policy is, a commit waits until it is on disk here and there. */
function syncedLevel(appendfsync: string | undefined, warnings: string[]): Durability {
  if (appendfsync === "everysec") {
    warnings.push(
      "Each commit waits up to a second for the disk: set `appendfsync always` (it is everysec) on Redis and its replicas.",
    );
  }
  return "replicated";
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
