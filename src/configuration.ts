import { isBaggageKey } from "./baggage.ts";
import { WaybillError } from "./errors.ts";
import { shownUrl } from "./shown-url.ts";

/** What a process of the application does. */
export type Role = "http" | "engine" | "activities";

/** How a process is set up; every field has a default. */
export interface Configuration {
  /** `embedded:` (queues as rows of the SQLite file), `amqp(s)://…` (several hosts: commas), or `memory:` (for tests). */
  readonly broker: string;
  /** `sqlite:PATH`, `redis(s)://…`, `redis+sentinel://…`, `redis+cluster://…`, or `memory:`. */
  readonly store: string;
  /** First part of every queue's name. */
  readonly prefix: string;
  /** Fixed for the life of the stored data; 16 with a broker of its own, else 8. */
  readonly partitions: number;
  readonly roles: readonly Role[];
  /** Which keys of W3C baggage travel on with messages. Whoever receives one can read them. */
  readonly baggage: readonly string[];
  readonly host: string;
  readonly port: number;
}

export const defaultConfiguration: Configuration = {
  broker: "embedded:",
  store: "sqlite:./waybill.db",
  prefix: "waybill",
  partitions: 8,
  roles: ["http", "engine", "activities"],
  baggage: [],
  host: "127.0.0.1",
  port: 3000,
};

/** One for each of more engine processes than a RabbitMQ cluster can feed; 32 cost 8 to 24 % more CPU for an order. */
const serverPartitions = 16;
const knownRoles: readonly Role[] = ["http", "engine", "activities"];

/**
 * The configuration that the environment asks for, over the defaults.
 * @throws WaybillError `invalid-configuration` that lists every problem.
 */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Configuration {
  const defaults = defaultConfiguration;
  const text = (name: string, otherwise: string) => environment[name] ?? otherwise;
  return complete({
    broker: text("WAYBILL_BROKER", defaults.broker),
    store: text("WAYBILL_STORE", defaults.store),
    prefix: text("WAYBILL_PREFIX", defaults.prefix),
    ...(environment["WAYBILL_PARTITIONS"] !== undefined && {
      partitions: wholeNumber(environment["WAYBILL_PARTITIONS"]),
    }),
    roles: text("WAYBILL_ROLES", defaults.roles.join(",")).split(",") as readonly Role[],
    baggage: text("WAYBILL_BAGGAGE", "")
      .split(",")
      .filter((key) => key !== ""),
    host: text("HOST", defaults.host),
    port: wholeNumber(text("PORT", String(defaults.port))),
  });
}

/** Not what `Number` makes of a text that is blank, hexadecimal or a fraction. */
function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * A whole configuration from parts of one.
 * @throws WaybillError `invalid-configuration` that lists every problem.
 */
export function complete(parts: Partial<Configuration>): Configuration {
  const { broker = defaultConfiguration.broker } = parts;
  const partitions = isServer(broker) ? serverPartitions : defaultConfiguration.partitions;
  const configuration = { ...defaultConfiguration, partitions, ...parts };
  const problems = [
    ...urlProblems(configuration),
    ...nameProblems(configuration),
    ...baggageProblems(configuration),
    ...listenProblems(configuration),
  ];
  if (problems.length === 0) return configuration;
  throw new WaybillError({
    code: "invalid-configuration",
    message: `The configuration cannot be used:\n- ${problems.join("\n- ")}`,
    action: "Correct what is listed; README.md has a table of all settings.",
    problems,
  });
}

function isServer(broker: string): boolean {
  return /^amqps?:\/\//.test(broker);
}

function urlProblems({ broker, store }: Configuration): readonly string[] {
  const knownBroker = broker === "embedded:" || broker === "memory:" || isServer(broker);
  const knownStore =
    store === "memory:" ||
    /^sqlite:.+/.test(store) ||
    /^rediss?(\+(sentinel|cluster))?:\/\//.test(store);
  const problems: string[] = [];
  if (!knownBroker) {
    problems.push(
      `WAYBILL_BROKER is "${shownUrl(broker)}"; use "embedded:", amqp://… or "memory:".`,
    );
  }
  if (!knownStore) {
    problems.push(
      `WAYBILL_STORE is "${shownUrl(store)}"; use "sqlite:PATH", redis://… or "memory:".`,
    );
  }
  const together = knownBroker && knownStore ? togetherProblem(broker, store) : undefined;
  return together === undefined ? problems : [together];
}

/** Why a broker and a store cannot keep the promise together. */
function togetherProblem(broker: string, store: string): string | undefined {
  if (broker === "embedded:" && !store.startsWith("sqlite:")) {
    return `WAYBILL_BROKER "embedded:" keeps its queues in the SQLite file, so WAYBILL_STORE has to be "sqlite:PATH", not "${shownUrl(store)}".`;
  }
  if ((broker === "memory:") !== (store === "memory:")) {
    return `WAYBILL_BROKER "${shownUrl(broker)}" with WAYBILL_STORE "${shownUrl(store)}" would lose one half and keep the other: use "memory:" for both or for none.`;
  }
  return undefined;
}

function nameProblems({ prefix, partitions, roles, broker }: Configuration): readonly string[] {
  const problems: string[] = [];
  if (!isServer(broker) && !roles.includes("engine")) {
    problems.push(
      `WAYBILL_ROLES has no "engine", and with the broker "${shownUrl(broker)}" no other process can be it.`,
    );
  }
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(prefix)) {
    problems.push(`WAYBILL_PREFIX is "${prefix}"; use 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1_024) {
    problems.push(`WAYBILL_PARTITIONS is ${partitions}; use a whole number from 1 to 1024.`);
  }
  for (const role of roles) {
    if (knownRoles.includes(role)) continue;
    problems.push(`WAYBILL_ROLES names "${role}"; use some of ${knownRoles.join(", ")}.`);
  }
  return problems;
}

function baggageProblems({ baggage }: Configuration): readonly string[] {
  return baggage
    .filter((key) => !isBaggageKey(key))
    .map((key) => `WAYBILL_BAGGAGE names "${key}"; use keys of W3C baggage, without spaces.`);
}

function listenProblems({ port, host }: Configuration): readonly string[] {
  const problems: string[] = [];
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    problems.push(`PORT is ${port}; use a whole number from 0 to 65535.`);
  }
  if (host === "") problems.push("HOST is empty; leave it out for 127.0.0.1.");
  return problems;
}
