import type { AnyEventObject } from "xstate";
import type { ErrorRecord } from "../../errors.ts";
import type { Address } from "./actor.ts";

/** What a transition asks for, as data. Nothing of it has happened yet. */
export type Effect =
  | { readonly kind: "emit"; readonly event: AnyEventObject }
  | {
      readonly kind: "arm";
      readonly name: string;
      readonly generation: number;
      readonly delayMs: number;
      /** Milliseconds since the Unix epoch: the step's `now` plus the delay. */
      readonly due: number;
      readonly event: AnyEventObject;
      readonly target?: Address;
    }
  | { readonly kind: "disarm"; readonly name: string; readonly generation: number }
  | {
      readonly kind: "start-activity" | "start-child";
      readonly id: string;
      readonly generation: number;
      readonly source: string;
      readonly input: unknown;
    }
  | {
      readonly kind: "stop-activity" | "stop-child";
      readonly id: string;
      readonly generation: number;
      readonly source: string;
    }
  /** An event for the parent (`#parent`) or for a child by its id. */
  | {
      readonly kind: "send";
      readonly to: string;
      readonly generation?: number;
      readonly event: AnyEventObject;
    }
  /** An event to this actor itself, to be applied as an ordinary one after this step. */
  | { readonly kind: "raise-self"; readonly event: AnyEventObject }
  /** A named action of the user's, to be run once after the commit, or never. */
  | {
      readonly kind: "action";
      readonly type: string;
      readonly params: unknown;
      readonly run: () => unknown;
    }
  | { readonly kind: "log"; readonly label: string | undefined; readonly value: unknown }
  | {
      readonly kind: "end";
      readonly status: "done" | "error" | "stopped";
      readonly output?: unknown;
      readonly error?: ErrorRecord;
    };
