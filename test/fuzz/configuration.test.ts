import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOrders, parseProducts } from "../../machines/order-to-shipment/order-file.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { complete, fromEnvironment } from "../../src/configuration.ts";
import { toMs } from "../../src/duration.ts";
import { WaybillError } from "../../src/errors.ts";
import { decodeCursor } from "../../src/stores/cursor.ts";
import { parseRedisUrl } from "../../src/stores/redis/address.ts";
import { parseAddresses } from "../../transports/rabbitmq/address.ts";
import { firstSeed, runs } from "../support/fuzz-budget.ts";
import { anyText } from "../support/hostile.ts";

const secret = "s3cr3t-canary";
const schemes = fc.constantFrom(
  "amqp://",
  "amqps://",
  "ampq://",
  "redis://",
  "rediss+sentinel://",
  "redis+cluster://",
  "redis+ring://",
  "sqlite:",
  "embedded:",
  "memory:",
  "http://",
  "foo:",
  "",
);
const odd = fc.constantFrom(
  "",
  "/",
  "//",
  "?",
  "#",
  "%",
  "%zz",
  ":",
  "@",
  "[",
  "]",
  ",",
  "\\",
  " ",
  "é",
  "?a=b&",
);
const hosts = fc.constantFrom(
  "db",
  "one,two",
  "[::1]",
  "db:0",
  "db:99999",
  "db:x",
  "",
  "one:1,,two:2",
);
const tails = fc.constantFrom(
  "",
  "/",
  "/0",
  "/main/1",
  "/%zz",
  "?replicas=1",
  "?replicaWait=x",
  "?replicas=1&replicaWait=9s",
  "?replicas=1&replicaFsync=yes",
  "?replicaFsync=maybe",
  "?no=1",
  "/a/b/c",
);

/** A URL of any kind with a password in one of the places where people put them. */
const urls = fc
  .tuple(schemes, odd, odd, hosts, tails, fc.boolean())
  .map(([scheme, before, after, host, tail, inQuery]) => {
    const login = `user${before}:${before}${secret}${after}`;
    if (!inQuery) return `${scheme}${login}@${host}${tail}`;
    return `${scheme}${host}${tail.replace(/\?.*/, "")}?sentinelPassword=${secret}&sentinelpassword=${secret}`;
  });
const settings = fc.oneof(anyText, urls);
const numbers = fc.oneof(
  anyText,
  fc.constantFrom("0", "8", "0x10", "1e3", " 8", "", "65536", "1.5"),
);

/** What is wrong with the way in which something is refused; none when it is not refused, or as it should be. */
function faults(what: () => unknown, expected: string): readonly string[] {
  try {
    what();
    return [];
  } catch (error) {
    if (!(error instanceof WaybillError)) return [`threw ${String(error)}`];
    const { code, action, message, problems } = error;
    const told = [message, action, ...problems].join("\n");
    return [
      ...(code === expected ? [] : [`${code}: ${message}`]),
      ...(action === "" ? ["says nothing to do"] : []),
      ...(told.includes(secret) ? [`tells the password: ${told}`] : []),
    ];
  }
}

/** @throws Error unless it is a number that can be worked with. */
function useful(number: number | undefined, isUseful = Number.isFinite(number)): void {
  if (number !== undefined && !isUseful) throw new Error(`${number} is of no use`);
}

describe("a configuration of any kind", () => {
  const parts = { seed: firstSeed, numRuns: runs(2_000) };

  test("is taken, or refused with every problem and without a password", () => {
    const environments = fc.record(
      {
        WAYBILL_BROKER: settings,
        WAYBILL_STORE: settings,
        WAYBILL_PREFIX: anyText,
        WAYBILL_PARTITIONS: numbers,
        WAYBILL_ROLES: fc.oneof(
          anyText,
          fc.constantFrom("http", "engine,engine", "http,,", "activities"),
        ),
        WAYBILL_BAGGAGE: anyText,
        HOST: anyText,
        PORT: numbers,
      },
      { requiredKeys: [] },
    );
    const property = fc.property(environments, (environment) => {
      const found = faults(() => {
        const { partitions, port } = fromEnvironment(environment);
        for (const number of [partitions, port]) useful(number, Number.isInteger(number));
      }, "invalid-configuration");
      expect(found).toEqual([]);
    });
    fc.assert(property, parts);
  });

  test("lists each setting that is wrong", () => {
    const wrong = {
      broker: "kafka:",
      store: "mongo:",
      prefix: "a b",
      partitions: 0,
      port: -1,
      host: "",
    };
    const names = Object.keys(wrong) as (keyof typeof wrong)[];
    const said = {
      broker: "BROKER",
      store: "STORE",
      prefix: "PREFIX",
      partitions: "PARTITIONS",
      port: "PORT",
      host: "HOST",
    };
    const property = fc.property(fc.subarray(names, { minLength: 1 }), (chosen) => {
      const mixed = Object.fromEntries(chosen.map((name) => [name, wrong[name]]));
      let problems: readonly string[] = [];
      try {
        complete({ broker: "embedded:", store: "sqlite:a", ...mixed });
      } catch (error) {
        ({ problems } = error as WaybillError);
      }
      for (const name of chosen) expect(problems.join("\n")).toContain(said[name]);
    });
    fc.assert(property, { ...parts, numRuns: 64 });
  });

  test("may hold any URL", () => {
    const property = fc.property(settings, (url) => {
      expect(faults(() => parseRedisUrl(url), "invalid-configuration")).toEqual([]);
      expect(faults(() => parseAddresses(url), "invalid-configuration")).toEqual([]);
    });
    fc.assert(property, parts);
  });

  test("may hold any duration", () => {
    const texts = fc.oneof(
      anyText,
      fc.stringMatching(/^-?\d{0,9}(\.\d+)?(ms|s|m|h|d)?$/),
      fc.constant(`${"9".repeat(400)}d`),
    );
    const property = fc.property(texts, (text) => {
      expect(faults(() => useful(toMs(text)), "invalid-duration")).toEqual([]);
    });
    fc.assert(property, parts);
  });
});

test("a command line of any kind is run, or answered with what is wrong", () => {
  const names = fc.constantFrom(
    "--orders",
    "--products",
    "--json",
    "--no-generate",
    "--no-services",
    "--deadlines",
    "--store",
    "--broker",
    "--host",
    "--port",
    "--help",
    "-h",
    "--",
    "--no-",
    "--orders=",
    "-x",
  );
  const words = fc.array(fc.oneof(names, numbers, anyText), { maxLength: 5 });
  const property = fc.property(words, (args) => {
    expect(faults(() => tryOptions(args), "none")).toEqual([]);
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(1_000) });
});

function tryOptions(args: readonly string[]): void {
  const parsed = parseOptions(args);
  if (parsed.kind === "exit") {
    if (parsed.text === "") throw new Error("it says nothing");
    return;
  }
  const { port, deadlines } = parsed.options;
  useful(port, Number.isInteger(port));
  if (deadlines?.kind === "factor") useful(deadlines.factor);
  if (deadlines?.kind === "longest") useful(deadlines.longestMs);
}

test("a file of orders of any kind is read, or refused with the lines that are wrong", () => {
  const lines = fc.oneof(
    fc.json(),
    anyText,
    fc.constantFrom(
      '{"__proto__":{"polluted":1}}',
      "[".repeat(100_000),
      '{"orderId":1}',
      "\ufeff{}",
    ),
    fc
      .record({ orderId: anyText, customerId: fc.jsonValue(), lines: fc.jsonValue() })
      .map((one) => JSON.stringify(one)),
  );
  const property = fc.property(fc.array(lines, { maxLength: 20 }), (all) => {
    for (const parse of [parseOrders, parseProducts]) {
      expect(faults(() => parse(all.join("\n"), "any.ndjson"), "invalid-file")).toEqual([]);
    }
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(150) });
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("a cursor of any kind is one of the list, or refused", () => {
  const texts = fc.oneof(
    anyText,
    fc.json().map((json) => Buffer.from(json).toString("base64url")),
    fc
      .constantFrom("[1e999]", "[-1]", "[0.5]")
      .map((json) => Buffer.from(json).toString("base64url")),
  );
  const property = fc.property(texts, (text) => {
    const found = faults(() => useful(decodeCursor(text, [0])?.[0]), "invalid-cursor");
    expect(found).toEqual([]);
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(1_000) });
});
