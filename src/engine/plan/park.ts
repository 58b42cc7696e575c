import type { DeadLetterReason } from "../../observer.ts";
import type { Arrival } from "../arrival.ts";
import { letterId } from "../dead-letter.ts";
import { jsonDigest } from "../instance.ts";
import { jsonMessage, wire } from "../wire.ts";
import type { Plan } from "./plan.ts";

/** A message that goes to the operator, and why. */
export interface Parked {
  readonly arrival: Pick<Arrival, "key" | "messageId" | "trace" | "isInternal">;
  readonly type: string | undefined;
  readonly body: string;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  /** Names a message without an id; a new name unless given. */
  readonly name?: string;
}

/** Sets a message aside for an operator, says so on the topic exchange, and answers the dead letter's id. */
export function park(plan: Plan, parked: Parked): string {
  const { arrival, type, reason, detail, body, name } = parked;
  const { messageId, trace, isInternal } = arrival;
  const seed = messageId ?? name ?? plan.context.newId();
  const id = letterId(plan.context.partition, { key: arrival.key, messageId: seed });
  const key = arrival.key === "" ? undefined : arrival.key;
  const notice = { id, reason, detail, messageId, key, type };
  const entry = { ...notice, body, isInternal, ...(Object.keys(trace).length > 0 && { trace }) };
  plan.deadLetters.push({ id, entry: JSON.stringify(entry) });
  plan.observations.push({ kind: "dead-letter", ...notice });
  // It may come back later, in another version or for another reason, and that is worth another notice: one says one thing.
  const version = plan.drafts.get(arrival.key)?.current?.version ?? 0;
  const fields = {
    id: `dead-letter:${id}:${version}:${jsonDigest(notice)}`,
    type: wire.deadLetter,
    headers: trace,
  };
  const message = jsonMessage(fields, notice);
  const outgoing = { exchange: "events", routingKey: wire.deadLetter, message } as const;
  plan.promise({ kind: "publish", outgoing });
  return id;
}
