import type { ErrorFacts } from "../../errors.ts";
import { instanceHeader, type Message } from "../../message.ts";
import { partitionOf } from "../../routing.ts";
import type { LetterArrival } from "../arrival.ts";
import { type LetterEntry, nextRedriveId } from "../dead-letter.ts";
import { findKey, parseObject } from "../decode.ts";
import { outsiderHeader } from "../wire.ts";
import type { Draft } from "./draft.ts";
import { note } from "./note.ts";
import type { Plan } from "./plan.ts";
import { update } from "./running.ts";

/** Sends a dead letter again or removes it, in the commit that removes its row. */
export function applyLetter(plan: Plan, arrival: LetterArrival): void {
  const letter = plan.letter(arrival.letter);
  if (letter === undefined) return plan.reply(arrival, { problem: unknownLetter(arrival.letter) });
  const draft = arrival.key === "" ? undefined : plan.draft(arrival.key);
  const isHeld = draft?.current?.failure?.letter === letter.id;
  if (arrival.action === "redrive") {
    const problem = isHeld ? waits(letter) : unlessWhole(letter);
    if (problem !== undefined) return plan.reply(arrival, { problem });
    redrive(plan, letter);
  } else if (draft !== undefined && isHeld) skip(plan, draft, arrival);
  plan.forgetLetter(letter.id);
  plan.reply(arrival, { outcome: arrival.action === "redrive" ? "redriven" : "dropped" });
}

/** Promises the message anew, as young as any other and under an id that no inbox knows. */
function redrive(plan: Plan, letter: LetterEntry): void {
  const { registry, names, partition, partitions, now } = plan.context;
  const { type, body, trace, isInternal } = letter;
  const id = nextRedriveId(letter);
  const message: Message = { id, body, ...(type !== undefined && { type }) };
  const key = letter.key ?? findKey(message, parseObject(body), registry);
  const headers = {
    ...trace,
    ...(key !== undefined && { [instanceHeader]: key }),
    // It goes out under the engine's own name, and must not be trusted for that.
    ...(isInternal !== true && { [outsiderHeader]: "1" }),
  };
  const to = key === undefined ? partition : partitionOf(key, partitions);
  plan.promise({
    kind: "publish",
    outgoing: {
      exchange: "",
      routingKey: names.partition(to),
      message: { ...message, timestamp: Math.floor(now), headers },
    },
  });
}

/** Takes the event that an instance has failed on out of its line; the rest waits for a retry. */
function skip(plan: Plan, draft: Draft, { trace, messageId }: LetterArrival): void {
  if (draft.current?.failure === undefined) return;
  const [skipped, ...held] = draft.current.held ?? [];
  const { letter: _, ...failure } = draft.current.failure;
  update(draft, { held, failure });
  const payload = { type: skipped?.type, messageId: skipped?.messageId };
  const id = messageId === undefined ? {} : { messageId };
  note(plan, draft, { type: "waybill.drop", trace, payload, ...id });
}

function unlessWhole({ id, body, reason }: LetterEntry): ErrorFacts | undefined {
  if (reason === "rolled-back") {
    return {
      code: "not-redrivable",
      message: `Dead letter ${id} is no message: it tells what the store has lost.`,
      action: "Restore what is missing by hand, and drop the dead letter.",
    };
  }
  if (reason !== "too-large" || parseObject(body) !== undefined) return undefined;
  return {
    code: "not-redrivable",
    message: `The message of dead letter ${id} was too large to be kept whole.`,
    action: "Ask its sender for a smaller one, and drop the dead letter.",
  };
}

function waits({ id, key }: LetterEntry): ErrorFacts {
  return {
    code: "held",
    message: `The event of dead letter ${id} waits first in line in ${key}, which has failed on it.`,
    action: "Retry the instance, or drop the dead letter to go on without the event.",
  };
}

/** What an operator is told of a dead letter that is not there. */
export function unknownLetter(id: string): ErrorFacts {
  return {
    code: "unknown-dead-letter",
    message: `There is no dead letter ${id.slice(0, 200)}.`,
    action: "List the dead letters: it may have been sent again or dropped by somebody else.",
  };
}
