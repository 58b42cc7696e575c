import { instanceHeader } from "../../message.ts";
import { letterId, nextRedriveId } from "../dead-letter.ts";
import type { WaitingEvent } from "../instance.ts";
import { outsiderHeader } from "../wire.ts";
import type { Running } from "./running.ts";

/**
 * Sends events that wait with an instance as messages of their own, as if an operator had, so that each is tried by
 * itself: one that ends its process would else be offered, and end it, with every event before it. Answers what has to
 * stay: what timers and children have brought is no message.
 */
export function sendWaiting(
  running: Running,
  waiting: readonly WaitingEvent[],
): readonly WaitingEvent[] {
  for (const event of waiting) if (event.origin === undefined) send(running, event);
  return waiting.filter(({ origin }) => origin !== undefined);
}

function send({ plan, draft }: Running, event: WaitingEvent): void {
  const { key } = draft;
  const { names, partition, now, newId } = plan.context;
  const { type, payload, trace = {}, messageId = newId() } = event;
  const id = nextRedriveId({ id: letterId(partition, { key, messageId }), messageId });
  const headers = { ...trace, [instanceHeader]: key, [outsiderHeader]: "1" };
  const message = { id, type, body: JSON.stringify(payload), timestamp: Math.floor(now), headers };
  const outgoing = { exchange: "", routingKey: names.partition(partition), message } as const;
  plan.promise({ kind: "publish", outgoing });
}
