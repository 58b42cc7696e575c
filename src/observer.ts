import type { Headers } from "./message.ts";

/** Why a message ended as a dead letter. */
export type DeadLetterReason =
  | "undecodable"
  | "no-instance"
  | "unknown-workflow"
  | "reserved-type"
  | "invalid-payload"
  | "not-accepted"
  | "missing-instance"
  | "ended"
  | "failed"
  | "too-old"
  | "too-large"
  | "poison"
  | "corrupt-record"
  | "unrouted-reply"
  | "rolled-back";

/** Something that happened in the engine, told after it was committed. */
export type Observation =
  | { readonly kind: "started"; readonly key: string; readonly state: string }
  | {
      readonly kind: "applied";
      readonly key: string;
      readonly type: string;
      readonly from: string;
      readonly to: string;
      readonly version: number;
    }
  | {
      readonly kind: "ended";
      readonly key: string;
      readonly status: "done" | "error" | "stopped";
      readonly state: string;
      readonly output: unknown;
    }
  /** It was kept for its time after its end, and is gone with its history. */
  | { readonly kind: "removed"; readonly key: string }
  | { readonly kind: "failed"; readonly key: string; readonly type: string; readonly error: string }
  /** It has come to rest where nothing known can move it; told once. */
  | {
      readonly kind: "stuck";
      readonly key: string;
      readonly state: string;
      readonly message: string;
    }
  /** Something that an operator should know of has come up, or is over. */
  | {
      readonly kind: "finding";
      readonly code: string;
      readonly severity: "problem" | "warning";
      readonly change: "appeared" | "gone";
      readonly message: string;
    }
  /** What store and broker survive, told at the start. */
  | {
      readonly kind: "durability";
      readonly store: string;
      readonly broker: string;
      readonly message: string;
    }
  /** The store's clock has jumped by so much. */
  | { readonly kind: "clock-jump"; readonly byMs: number; readonly message: string }
  /** Nothing else could run in this process for so long. */
  | { readonly kind: "loop-blocked"; readonly durationMs: number; readonly message: string }
  | {
      readonly kind: "set-aside";
      readonly key: string | undefined;
      readonly type: string | undefined;
      readonly outcome: "deferred" | "ignored" | "held" | "duplicate" | "stale";
    }
  | {
      readonly kind: "dead-letter";
      readonly id: string;
      readonly messageId: string | undefined;
      readonly key: string | undefined;
      readonly type: string | undefined;
      readonly reason: DeadLetterReason;
      readonly detail: string;
    }
  | {
      readonly kind: "committed";
      readonly partition: number;
      readonly messages: number;
      readonly durationMs: number;
    }
  | { readonly kind: "timer-fired"; readonly key: string; readonly lateMs: number }
  | {
      readonly kind: "activity";
      readonly key: string;
      readonly name: string;
      readonly attempt: number;
      readonly outcome: "done" | "failed" | "timed-out" | "abandoned";
      readonly durationMs: number;
    }
  | {
      readonly kind: "partition";
      readonly partition: number;
      readonly change: "claimed" | "released" | "lost";
      readonly epoch: number;
      readonly reason: string;
    }
  /** The store had lost commits that this process knew of; `message` says it in a sentence. */
  | {
      readonly kind: "rollback";
      readonly partition: number;
      readonly epoch: number;
      readonly restored: number;
      readonly lost: number;
      readonly message: string;
    }
  | {
      readonly kind: "trouble";
      readonly where: "store" | "transport" | "engine" | "action";
      readonly message: string;
    };

/** Is told what the engine does: the one seam for logs, metrics, traces and progress. */
export interface Observer {
  /** Takes one observation, with the W3C trace context of its step if there is one; what it throws is ignored. */
  observe(observation: Observation, trace?: Headers): void;
}

/** Looks away. */
export const silentObserver: Observer = { observe() {} };
