import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { setup } from "xstate";
import { activity, createEngine, defineWorkflow, type RunningEngine } from "../../../src/index.ts";
import { getJson, ProcessLab, putJson } from "./lab.ts";

const ran: string[] = [];
const parcel = defineWorkflow({
  name: "parcel",
  version: "1",
  events: {},
  machine: setup({
    actors: {
      weigh: activity({
        run: async () => {
          ran.push("weighed");
          return 7;
        },
        local: false,
      }),
    },
  }).createMachine({
    initial: "weighing",
    states: {
      weighing: { invoke: { id: "weigh", src: "weigh", onDone: "weighed" } },
      weighed: { type: "final" },
    },
  }),
});

let lab: ProcessLab;
const engines: RunningEngine[] = [];
beforeAll(async () => {
  lab = await ProcessLab.open();
}, 120_000);
afterAll(() => lab.close(), 120_000);
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

test("a process with HTTP alone answers for instances that another one runs, and for those of an engine still to come", async () => {
  const front = await lab.serve({ WAYBILL_ROLES: "http" });
  await expect.poll(() => fetch(`${front.url}/readyz`).then(({ ok }) => ok)).toBe(true);
  const ada = `${front.url}/workflows/hello/instances/ada`;
  const early = fetch(ada, {
    method: "PUT",
    headers: { "content-type": "application/json", prefer: "respond-async" },
    body: '{"name":"Ada"}',
  });
  expect((await early).status).toBe(202);
  const back = lab.start({ WAYBILL_ROLES: "engine" });
  await expect.poll(() => putJson(ada, { name: "Ada" }), { timeout: 20_000 }).toBe(200);
  expect(await putJson(`${front.url}/workflows/hello/instances/bob`, { name: "Bob" })).toBe(201);
  expect(await getJson(ada)).toMatchObject({ state: "waiting" });
  const { owned } = await getJson<{ owned: readonly number[] }>(`${front.url}/readyz`);
  expect(owned).toEqual([]);
  expect(back.text).not.toContain("listens");
  expect(await back.end("SIGTERM")).toBe(0);
  expect(await front.child.end("SIGTERM")).toBe(0);
});

function part(role: "http" | "engine" | "activities"): RunningEngine {
  const { WAYBILL_BROKER: broker = "", WAYBILL_STORE: store = "" } = lab.settings;
  const place = { broker, store, prefix: "roles", partitions: 4 };
  const engine = createEngine({ ...place, workflows: [parcel], roles: [role] });
  engines.push(engine);
  return engine;
}

test("activities run in the processes that have the role, and nowhere else", async () => {
  const front = part("http");
  const back = part("engine");
  await Promise.all([front.start(), back.start()]);
  await front.client.start({ workflow: "parcel", id: "p", input: {} });
  const waited = await front.client.wait("parcel", "p", { timeoutMs: 1_000 });
  expect(waited.reached).toBe(false);
  expect(ran).toEqual([]);
  await part("activities").start();
  const done = await front.client.wait("parcel", "p", { timeoutMs: 20_000 });
  expect(done.instance.state).toBe("weighed");
  expect(ran).toEqual(["weighed"]);
});
