import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { getJson, ProcessLab, putJson, type Served } from "./lab.ts";

let lab: ProcessLab;
beforeAll(async () => {
  lab = await ProcessLab.open();
}, 120_000);
afterAll(() => lab.close(), 120_000);

let broker: TcpProxy;
let store: TcpProxy;
beforeEach(async () => {
  broker = await TcpProxy.to(lab.broker.port);
  store = await TcpProxy.to(lab.redis.port);
});
afterEach(() => {
  broker.close();
  store.close();
});

/** A process that can reach broker and store by way of the proxies only. */
function begin(prefix: string): Promise<Served> {
  return lab.serve({
    WAYBILL_BROKER: lab.broker.url("engine", broker.port),
    WAYBILL_STORE: `redis://127.0.0.1:${store.port}`,
    WAYBILL_PREFIX: prefix,
  });
}

async function expectWaiting({ url, child }: Served, reason: RegExp): Promise<void> {
  expect(await getJson(`${url}/healthz`)).toEqual({ alive: true });
  await expect
    .poll(
      () => fetch(`${url}/readyz`).then(async (answer) => [answer.status, await answer.json()]),
      {
        timeout: 20_000,
      },
    )
    .toEqual([503, expect.objectContaining({ problems: [expect.stringMatching(reason)] })]);
  await child.says(reason);
  expect(await putJson(`${url}/workflows/hello/instances/ada`, { name: "Ada" })).toBe(503);
}

async function expectReady({ url, child }: Served): Promise<void> {
  await expect
    .poll(() => fetch(`${url}/readyz`).then(({ status }) => status), { timeout: 30_000 })
    .toBe(200);
  expect(await putJson(`${url}/workflows/hello/instances/ada`, { name: "Ada" })).toBe(201);
  expect(await child.end("SIGTERM")).toBe(0);
}

test("a process that cannot reach its store waits for it, says why, and goes on by itself", async () => {
  store.cut();
  const served = await begin("nostore");
  await expectWaiting(served, /redis/i);
  store.restore();
  await expectReady(served);
});

test("a process that cannot reach its broker waits for it, says why, and goes on by itself", async () => {
  broker.cut();
  const served = await begin("nobroker");
  await expectWaiting(served, /RabbitMQ at \S+ cannot be reached/);
  broker.restore();
  await expectReady(served);
});

test("a process that still waits can be stopped", async () => {
  store.cut();
  const { child } = await begin("stopped");
  await child.says(/redis/i);
  expect(await child.end("SIGTERM")).toBe(0);
});

test("a wrong password is not waited for", async () => {
  const url = lab.broker.url("engine").replace(":engine@", ":wrong@");
  const child = lab.start({ WAYBILL_BROKER: url });
  await child.says(/refused the login of user "engine"/);
  expect(await child.ended()).toBe(2);
});
