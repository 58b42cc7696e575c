import { toMs } from "../../duration.ts";
import { WaybillError } from "../../errors.ts";
import { shownUrl } from "../../shown-url.ts";

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Where a store's data lies, as its URL says it. */
export interface RedisAddress {
  readonly kind: "single" | "sentinel" | "cluster";
  readonly tls: boolean;
  readonly nodes: readonly RedisNode[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The Sentinels' own password; `""` when they have none. */
  readonly sentinelPassword: string;
  /** What the Sentinels call the master; `""` for the other kinds. */
  readonly master: string;
  readonly database: number;
  /** How many replicas must have a commit before it resolves. */
  readonly replicas: number;
  /** How long a commit waits for them. */
  readonly replicaWaitMs: number;
  /** Whether they and the master must have it on disk. */
  readonly replicaFsync: boolean;
  /** The URL without its password, for people. */
  readonly shown: string;
}

const pattern =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const settings = ["replicas", "replicaWait", "replicaFsync", "sentinelPassword"];

/** How long a call may take when nothing else is said, connecting included. */
export const callDeadlineMs = 2_000;

/**
 * Reads `redis://user:password@host:6379/0`, `redis+sentinel://host:26379,host:26379/master/0` or
 * `redis+cluster://host:6379,host:6379`; `rediss` in place of `redis` for TLS. After `?` may stand `replicas=1`
 * (a commit resolves once that many replicas have it), `replicaWait=500ms`, `replicaFsync=yes` (they and the master
 * have it on disk: Redis 7.2) and `sentinelPassword=…`.
 * @throws WaybillError `invalid-configuration` that says what is wrong with it.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const shown = shownUrl(url);
  const [, scheme, kind = "single", login = "", hosts, path = "", query = ""] =
    pattern.exec(url) ?? [];
  // An "@" after the hosts says that a password was taken for them.
  if (scheme === undefined || hosts === undefined || `${path}${query}`.includes("@")) {
    throw invalid(shown, "it is not a Redis URL");
  }
  return checked({
    kind: kind as RedisAddress["kind"],
    tls: scheme === "rediss",
    nodes: hosts.split(",").map((node) => nodeOf(node, kind, shown)),
    ...loginOf(login, shown),
    ...pathOf(path, kind, shown),
    ...settingsOf(query, shown),
    shown,
  });
}

function pathOf(
  path: string,
  kind: string,
  shown: string,
): Pick<RedisAddress, "master" | "database"> {
  const parts = path.split("/").filter((part) => part !== "");
  const master = kind === "sentinel" ? (parts.shift() ?? "") : "";
  const database = wholeNumber(parts.shift() ?? "0", "database", shown);
  if (parts.length > 0) throw invalid(shown, `"/${parts.join("/")}" is too much`);
  return { master: decoded(master, shown), database };
}

function settingsOf(
  query: string,
  shown: string,
): Pick<RedisAddress, "sentinelPassword" | "replicas" | "replicaWaitMs" | "replicaFsync"> {
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].find((name) => !settings.includes(name));
  if (unknown !== undefined) throw invalid(shown, `"${unknown}" is no setting of it`);
  const replicaFsync = yesOrNo(parameters.get("replicaFsync") ?? "no", shown);
  // With `appendfsync everysec` a replica syncs once a second.
  const usualWait = replicaFsync ? "1500ms" : "1s";
  return {
    sentinelPassword: parameters.get("sentinelPassword") ?? "",
    replicas: wholeNumber(parameters.get("replicas") ?? "0", "replicas", shown),
    replicaWaitMs: durationIn(parameters.get("replicaWait") ?? usualWait, shown),
    replicaFsync,
  };
}

function checked(address: RedisAddress): RedisAddress {
  const { kind, nodes, master, database, shown } = address;
  if (kind === "single" && nodes.length > 1) {
    throw invalid(shown, "several hosts need `redis+sentinel:` or `redis+cluster:`");
  }
  if (kind === "sentinel" && master === "") {
    throw invalid(shown, "the master's name is missing after the Sentinels: `…/mymaster`");
  }
  if (kind === "cluster" && database !== 0) throw invalid(shown, "a cluster has database 0 only");
  checkGate(address);
  return address;
}

function checkGate({ replicas, replicaWaitMs, replicaFsync, shown }: RedisAddress): void {
  if (replicas === 0 && replicaFsync) {
    throw invalid(shown, "replicaFsync=yes waits for nobody without replicas: add `replicas=1`");
  }
  if (replicas === 0) return;
  // Redis takes 0 for no end, and a call that is over tells nobody what was missing.
  if (Number.isInteger(replicaWaitMs) && replicaWaitMs > 0 && replicaWaitMs < callDeadlineMs)
    return;
  const why = `its replicaWait is ${replicaWaitMs} ms, not whole milliseconds from 1 on and below the ${callDeadlineMs} that a call may take`;
  throw invalid(shown, why);
}

function nodeOf(text: string, kind: string, shown: string): RedisNode {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw invalid(shown, `"${text}" is not a host with a port`);
  const usual = kind === "sentinel" ? 26_379 : 6_379;
  const number = port === undefined ? usual : wholeNumber(port, "port", shown);
  if (number < 1 || number > 65_535) throw invalid(shown, `there is no port ${number}`);
  return { host, port: number };
}

function loginOf(login: string, shown: string): Pick<RedisAddress, "username" | "password"> {
  const colon = login.indexOf(":");
  const user = colon === -1 ? login : login.slice(0, colon);
  const password = colon === -1 ? "" : login.slice(colon + 1);
  return {
    username: user === "" ? undefined : decoded(user, shown),
    password: password === "" ? undefined : decoded(password, shown),
  };
}

function decoded(text: string, shown: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(shown, 'a "%" in it has to be written as "%25"');
  }
}

function durationIn(text: string, shown: string): number {
  try {
    return toMs(text);
  } catch {
    throw invalid(shown, `its replicaWait is "${text}", no duration such as 500ms`);
  }
}

function yesOrNo(text: string, shown: string): boolean {
  if (text === "yes" || text === "no") return text === "yes";
  throw invalid(shown, `its replicaFsync is "${text}", not yes or no`);
}

function wholeNumber(text: string, what: string, shown: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw invalid(shown, `its ${what} is "${text}", not a whole number`);
}

function invalid(shown: string, why: string): WaybillError {
  return new WaybillError({
    code: "invalid-configuration",
    message: `The store "${shown}" cannot be used: ${why}.`,
    action:
      "Write redis://host:6379/0, redis+sentinel://host:26379,host:26379/master or redis+cluster://host:6379,host:6379.",
  });
}
