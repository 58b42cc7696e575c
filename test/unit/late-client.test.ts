import { expect, test } from "vitest";
import type { Client } from "../../src/engine/client.ts";
import { createEngine } from "../../src/index.ts";
import { lateClient } from "../../src/late-client.ts";

const absent = lateClient({ client: () => undefined, reason: () => "the store is away" });

test("A client that is not there yet is not ready and says why", async () => {
  expect(await absent.health()).toMatchObject({ ready: false, problems: ["the store is away"] });
});

test("A client that is not there yet refuses everything else as something to try again", async () => {
  await expect(absent.get("hello", "ada")).rejects.toMatchObject({
    code: "unavailable",
    retryable: true,
    message: expect.stringContaining("the store is away"),
  });
});

test("A client is no promise, whether it is there or not", async () => {
  expect(await Promise.resolve(absent)).toBe(absent);
});

test("A client that is there does what it is asked", async () => {
  const there = { workflows: async () => [] } as unknown as Client;
  expect(await lateClient({ client: () => there, reason: String }).workflows()).toEqual([]);
});

test("An engine's client refuses until it is started, and is the same one afterwards", async () => {
  const engine = createEngine({ workflows: [], store: "memory:", broker: "memory:" });
  const { client } = engine;
  await expect(client.workflows()).rejects.toMatchObject({ code: "unavailable" });
  await engine.start();
  expect(await client.workflows()).toEqual([]);
  await engine.stop();
});
