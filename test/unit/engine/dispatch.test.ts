import { expect, it } from "vitest";
import { Dispatch } from "../../../src/engine/dispatch.ts";
import { Outbox } from "../../../src/engine/outbox.ts";
import { namesFor } from "../../../src/routing.ts";
import { silentTracer } from "../../../src/tracer.ts";
import type { Outgoing, Transport } from "../../../src/transport.ts";
import { HandClock } from "../../support/hand-clock.ts";

const to = (exchange: Outgoing["exchange"], routingKey: string, id: string): Outgoing => ({
  exchange,
  routingKey,
  message: { id, body: "{}" },
});

it("sends what a batch has promised to the broker at once, and keeps what is for its own partition", () => {
  const published: (readonly (string | undefined)[])[] = [];
  const transport = {
    user: "guest",
    publish(batch: readonly Outgoing[]) {
      published.push(batch.map(({ message }) => message.id));
      return new Promise<never>(() => {});
    },
  } as unknown as Transport;
  const kept: (string | undefined)[] = [];
  const observer = { observe() {} };
  const dispatch = new Dispatch({
    transport,
    names: namesFor("w"),
    tracer: silentTracer,
    queue: "w.p.0",
    outbox: new Outbox({ clock: new HandClock(), transport, observer, delivered() {} }),
    activities: {} as never,
    leftRuns: {} as never,
    arrive: ({ messageId }) => kept.push(messageId),
    read: ({ message: { id = "" } }) => ({ messageId: id }) as never,
  });
  const outgoing = [
    to("events", "a", "m1"),
    to("", "w.p.0", "m2"),
    to("", "w.p.1", "m3"),
    to("events", "b", "m4"),
  ];
  dispatch.send(
    outgoing.map((one, seq) => ({ seq, content: { kind: "publish", outgoing: one } as const })),
  );
  expect(published).toEqual([["m1", "m3", "m4"]]);
  expect(kept).toEqual(["m2"]);
});
