import { expect, test } from "vitest";
import { hello } from "../../machines/hello/workflow.ts";
import { waybillRoutes } from "../../src/http/routes.ts";
import { createEngine } from "../../src/index.ts";
import type { Message } from "../../src/message.ts";
import { eventually } from "../support/memory-engine.ts";

/** What a service hears of somebody who is greeted by a request with this header. */
async function greeted(baggage: string, keys?: readonly string[]): Promise<Message> {
  const heard: Message[] = [];
  const engine = createEngine({
    workflows: [hello],
    store: "memory:",
    broker: "memory:",
    ...(keys !== undefined && { baggage: keys }),
  });
  await engine.start();
  const service = engine.connect("service");
  await service.open();
  await service.declare({
    queues: [{ name: "greetings", kind: "work" }],
    bindings: [{ queue: "greetings", exchange: "events", pattern: "hello.#" }],
  });
  const consumer = await service.consume({
    queue: "greetings",
    prefetch: 10,
    deliver: ({ message }) => heard.push(message),
    lost: () => undefined,
  });
  const answer = await waybillRoutes(engine.client).request("/workflows/hello/instances/ada", {
    method: "PUT",
    headers: { "content-type": "application/json", baggage },
    body: '{"name":"Ada"}',
  });
  expect(answer.status).toBe(201);
  await eventually(() => expect(heard).toHaveLength(1));
  await consumer.close();
  await service.close();
  await engine.stop();
  return heard[0] as Message;
}

test("Of the baggage of a request a service sees only what the engine was told to hand on", async () => {
  const baggage = `user=ada,tenant=acme,rubbish,session=${"x".repeat(2_000)}`;
  expect((await greeted(baggage)).headers).not.toHaveProperty("baggage");
  const { headers } = await greeted(baggage, ["tenant", "session"]);
  expect(headers).toMatchObject({ baggage: "tenant=acme" });
});

test("A request whose baggage is rubbish, or too large to be read, is served without it", async () => {
  expect((await greeted("tenant=two words,;;,=", ["tenant"])).headers).not.toHaveProperty(
    "baggage",
  );
  const large = `tenant=acme,${"x".repeat(9_000)}=1`;
  expect((await greeted(large, ["tenant"])).headers).not.toHaveProperty("baggage");
});
