import { describe, expect, test } from "vitest";
import { parseRedisUrl } from "../../../../src/stores/redis/address.ts";

const plain = {
  kind: "single",
  tls: false,
  nodes: [{ host: "db", port: 6_379 }],
  username: undefined,
  password: undefined,
  sentinelPassword: "",
  master: "",
  database: 0,
  replicas: 0,
  replicaWaitMs: 1_000,
  replicaFsync: false,
};

describe("the URL of a Redis store", () => {
  test.each([
    ["redis://db", {}],
    ["redis://db/", {}],
    ["redis://db:7000/3", { nodes: [{ host: "db", port: 7_000 }], database: 3 }],
    ["redis://[::1]:7000", { nodes: [{ host: "::1", port: 7_000 }] }],
    ["rediss://db", { tls: true }],
    ["redis://:pass@db", { password: "pass" }],
    ["redis://me:p%40ss:wo@rd@db", { username: "me", password: "p@ss:wo@rd" }],
    ["redis://db?replicas=2&replicaWait=250ms", { replicas: 2, replicaWaitMs: 250 }],
    ["redis://db?replicas=1&replicaFsync=no", { replicas: 1 }],
    [
      "redis://db?replicas=1&replicaFsync=yes",
      { replicas: 1, replicaWaitMs: 1_500, replicaFsync: true },
    ],
    [
      "redis+cluster://db?replicaFsync=yes&replicas=2&replicaWait=1900ms",
      { kind: "cluster", replicas: 2, replicaWaitMs: 1_900, replicaFsync: true },
    ],
    [
      "redis+sentinel://one,two:7000/main/1?sentinelPassword=s%26t",
      {
        kind: "sentinel",
        nodes: [
          { host: "one", port: 26_379 },
          { host: "two", port: 7_000 },
        ],
        master: "main",
        database: 1,
        sentinelPassword: "s&t",
      },
    ],
    [
      "rediss+cluster://one,two:7000",
      {
        kind: "cluster",
        tls: true,
        nodes: [
          { host: "one", port: 6_379 },
          { host: "two", port: 7_000 },
        ],
      },
    ],
  ])("%s is understood", (url, parts) => {
    expect(parseRedisUrl(url)).toMatchObject({ ...plain, ...parts });
  });

  test.each([
    ["http://db", /not a Redis URL/],
    ["redis://", /not a Redis URL/],
    ["redis://one,two", /several hosts need/],
    ["redis://db:port", /"db:port" is not a host/],
    ["redis://db/main", /database is "main"/],
    ["redis://db/0/1", /"\/1" is too much/],
    ["redis://db?retries=3", /"retries" is no setting/],
    ["redis://db?replicas=few", /replicas is "few"/],
    ["redis+sentinel://one", /master's name is missing/],
    ["redis+cluster://one/2", /database 0 only/],
    ["redis://db:99999", /no port 99999/],
    ["redis://%zz@db", /written as "%25"/],
    ["redis+sentinel://one/%", /written as "%25"/],
    ["redis://db?replicaWait=soon", /replicaWait is "soon"/],
    ["redis://db?replicas=1&replicaWait=0ms", /replicaWait is 0 ms, not whole milliseconds/],
    ["redis://db?replicas=1&replicaWait=1.5ms", /replicaWait is 1.5 ms, not whole milliseconds/],
    ["redis://db?replicas=1&replicaWait=2s", /replicaWait is 2000 ms, .* below the 2000/],
    ["redis://db?replicas=1&replicaFsync=maybe", /replicaFsync is "maybe", not yes or no/],
    ["redis://db?replicas=1&replicaFsync", /replicaFsync is "", not yes or no/],
    ["redis://db?replicaFsync=yes", /without replicas: add `replicas=1`/],
    ["redis://db?replicas=0&replicaFsync=yes", /without replicas: add `replicas=1`/],
  ])("%s is refused with the reason", (url, reason) => {
    expect(() => parseRedisUrl(url)).toThrow(reason);
    expect(() => parseRedisUrl(url)).toThrow(
      expect.objectContaining({ code: "invalid-configuration", retryable: false }),
    );
  });

  test("is shown without its passwords", () => {
    const { shown } = parseRedisUrl("redis+sentinel://me:secret@one/main?sentinelPassword=hidden");
    expect(shown).toBe("redis+sentinel://…@one/main?sentinelPassword=…");
    expect(() => parseRedisUrl("redis://me:secret@one,two")).not.toThrow(/secret/);
    for (const url of [
      "redis://me?:?secret@",
      "redis://me:secret/@",
      "redis://a?sentinelpassword=secret",
    ]) {
      expect(() => parseRedisUrl(url)).toThrow(/cannot be used/);
      expect(() => parseRedisUrl(url)).not.toThrow(/secret/);
    }
  });
});
