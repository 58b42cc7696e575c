import { expect, test, vi } from "vitest";
import { feed, feedSeries } from "../../../src/cli/feed.ts";
import { systemClock as clock } from "../../../src/clock.ts";
import { WaybillError } from "../../../src/errors.ts";
import { ScriptedClient } from "./scripted-client.ts";

const items = Array.from({ length: 50 }, (_, index) => ({ id: `o${index}`, input: { index } }));

function trouble(retryable: boolean) {
  return new WaybillError({ code: "c", message: "busy", action: "Wait.", retryable });
}

test("Every item is started once, with no more on their way at once than allowed", async () => {
  const client = new ScriptedClient();
  const result = await feed({ client, clock, workflow: "w", items, concurrency: 7 });
  expect(result).toEqual({ created: 50, existing: 0, refused: [] });
  expect(client.asked).toEqual(items.map(({ id }) => id));
  expect(client.mostInFlight).toBe(7);
});

test("A second feed of the same items finds them and starts nothing", async () => {
  const client = new ScriptedClient();
  await feed({ client, clock, workflow: "w", items });
  const started: string[] = [];
  const again = await feed({
    client,
    clock,
    workflow: "w",
    items,
    started: ({ id }, outcome) => started.push(`${id} ${outcome}`),
  });
  expect(again).toMatchObject({ created: 0, existing: 50 });
  expect(started).toContain("o0 existing");
});

test("While the engine is overloaded an item is tried again, and other refusals are kept with their reason", async () => {
  const client = new ScriptedClient();
  client.failures.push(trouble(true), trouble(false));
  const result = await feed({
    client,
    clock,
    workflow: "w",
    items: items.slice(0, 3),
    concurrency: 1,
  });
  expect(client.asked).toEqual(["o0", "o0", "o1", "o2"]);
  expect(result.created).toBe(2);
  expect(result.refused).toEqual([{ id: "o0", error: expect.objectContaining({ code: "c" }) }]);
});

test("A feed that is aborted starts nothing more", async () => {
  const client = new ScriptedClient();
  const stop = new AbortController();
  const started = () => stop.abort();
  await feed({ client, clock, workflow: "w", items, concurrency: 1, signal: stop.signal, started });
  expect(client.asked).toEqual(["o0"]);
});

test("An endless series goes on where it was, and holds back while too many are open", async () => {
  const client = new ScriptedClient();
  const stop = new AbortController();
  const ended = feedSeries({
    client,
    clock,
    workflow: "w",
    itemAt: (index) => ({ id: `o${index}`, input: { index } }),
    from: 40,
    perSecond: 200,
    open: () => client.instances.size,
    mostOpen: 30,
    signal: stop.signal,
  });
  await vi.waitFor(() => expect(client.asked.length).toBeGreaterThanOrEqual(30), {
    timeout: 20_000,
  });
  await new Promise((resolve) => setTimeout(resolve, 250));
  stop.abort();
  await ended;
  expect(client.asked.slice(0, 3)).toEqual(["o40", "o41", "o42"]);
  expect(client.asked.length).toBeLessThanOrEqual(50);
});
