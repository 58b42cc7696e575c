import type { Headers, Message } from "../message.ts";
import type { DeadLetterReason } from "../observer.ts";
import type { Delivery } from "../transport.ts";
import type { Until } from "./client.ts";
import type { RunContent } from "./wire.ts";

/** What has to be settled once an arrival is dealt with. */
export interface Receipt {
  readonly delivery?: Delivery;
  /** The outbox entry that brought it here without the broker. */
  readonly seq?: number;
  /** Set when an earlier owner has left that entry behind. */
  readonly isLeft?: true;
  /** The row of the timer that fired. */
  readonly timerRow?: { readonly id: string; readonly due: number };
}

/** Who wants to be told what became of it. */
export interface ReplyTo {
  readonly queue: string;
  readonly correlationId?: string;
}

interface Arriving {
  readonly receipt: Receipt;
  /** The message that brought it, as it was sent. */
  readonly message?: Message;
  /** The instance, `workflow/id`. */
  readonly key: string;
  readonly messageId?: string;
  /** When it was first accepted, in milliseconds, if anyone knows. */
  readonly bornAt?: number;
  readonly reply?: ReplyTo;
  readonly trace: Headers;
  /** Sent by the engine's own processes under a type that only they may use. */
  readonly isInternal?: true;
}

/** The parent of a child workflow, and which of its children this is. */
export interface ParentLink {
  readonly key: string;
  readonly childId: string;
  readonly generation: number;
}

export interface StartArrival extends Arriving {
  readonly kind: "start";
  readonly type: string;
  readonly input: unknown;
  readonly onConflict: "same-input" | "reject" | "use-existing" | "terminate-existing";
  readonly parent?: ParentLink;
  /** It comes of an event that is applied next: the requester is told only of that, or of a refusal. */
  readonly isPrelude?: true;
}

export interface EventArrival extends Arriving {
  readonly kind: "event";
  /** Undefined when it answers a request of ours and goes by that request's declared reply. */
  readonly type: string | undefined;
  /** `version/n` of the request that it answers. */
  readonly request?: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly ifVersion?: number;
  /** From the parent workflow: sent to this child and no other incarnation of it. */
  readonly internal?: true;
}

export interface TimerArrival extends Arriving {
  readonly kind: "timer";
  readonly name: string;
  readonly generation: number;
}

/** What came of one attempt of an activity, or of a child workflow. */
export type Outcome =
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "error"; readonly error: unknown };

/** What a worker reports of one attempt. */
export interface ActivityReport {
  readonly activity: string;
  readonly generation: number;
  readonly attempt: number;
  readonly outcome: Outcome;
}

export interface ResultArrival extends Arriving {
  readonly kind: "result";
  readonly activity: string;
  readonly generation: number;
  readonly attempt: number;
  readonly outcome: Outcome;
}

export interface ChildArrival extends Arriving {
  readonly kind: "child";
  readonly childId: string;
  readonly generation: number;
  /** The end of the child, or an event that it sent to its parent. */
  readonly news: Outcome | { readonly kind: "event"; readonly event: { readonly type: string } };
}

export interface StopArrival extends Arriving {
  readonly kind: "stop";
}

/** What an operator wants of an instance. */
export interface ControlArrival extends Arriving {
  readonly kind: "control";
  readonly action: "retry" | "terminate" | "suspend" | "resume";
}

/** What an operator wants of a dead letter; `key` is the instance that it was for, if that is of this partition. */
export interface LetterArrival extends Arriving {
  readonly kind: "letter";
  readonly action: "redrive" | "drop";
  readonly letter: string;
}

export interface WatchArrival extends Arriving {
  readonly kind: "watch";
  readonly until: Until;
}

/** A local activity that an earlier owner has left, with what is written down before it runs. */
export interface RerunArrival extends Arriving {
  readonly kind: "rerun";
  readonly seq: number;
  readonly content: RunContent;
}

/** A message that no machine ever sees. */
export interface UnfitArrival extends Arriving {
  readonly kind: "unfit";
  readonly type: string | undefined;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly body: string;
}

/** A message, timer or result on its way to an instance, understood and checked. */
export type Arrival =
  | StartArrival
  | EventArrival
  | TimerArrival
  | ResultArrival
  | ChildArrival
  | StopArrival
  | ControlArrival
  | LetterArrival
  | WatchArrival
  | RerunArrival
  | UnfitArrival;
