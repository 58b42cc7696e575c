import type { Names } from "../routing.ts";
import type { Tracer } from "../tracer.ts";
import type { Delivery, Transport } from "../transport.ts";
import type { LeftRuns } from "./activities/left-runs.ts";
import type { LocalActivities } from "./activities/local-activities.ts";
import type { Arrival } from "./arrival.ts";
import type { Left } from "./left-behind.ts";
import type { Outbox, Promised } from "./outbox.ts";
import { markRepublished, sendAgain } from "./trace-send.ts";
import type { RunContent } from "./wire.ts";

export interface DispatchOptions {
  readonly transport: Transport;
  readonly names: Names;
  readonly tracer: Tracer;
  /** The partition's own queue. */
  readonly queue: string;
  readonly outbox: Outbox;
  readonly activities: LocalActivities;
  readonly leftRuns: LeftRuns;
  readonly arrive: (arrival: Arrival) => void;
  readonly read: (delivery: Delivery) => Arrival;
}

/** Brings what a partition has promised to where it belongs: to the broker, to the partition itself, or to be run here. */
export class Dispatch {
  readonly #options: DispatchOptions;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** Entries of the outbox, in order. `isLeft` for those of an earlier owner, who may have sent them already. */
  send(entries: readonly Left[], isLeft = false): void {
    const { queue, outbox, arrive } = this.#options;
    const outgoing: Promised[] = [];
    for (const { seq, content } of entries) {
      if (content.kind === "unfit") arrive(content);
      else if (content.kind === "run") this.#run(seq, content, isLeft);
      else if (content.kind === "publish") {
        const promised = { seq, outgoing: content.outgoing };
        const { exchange, routingKey } = content.outgoing;
        if (exchange === "" && routingKey === queue) this.#keepHere(promised, isLeft);
        else outgoing.push(isLeft ? this.#again(promised) : promised);
      }
    }
    // Together: the first by itself would keep the others waiting until the broker has confirmed it.
    outbox.add(outgoing);
  }

  #run(seq: number, content: RunContent, isLeft: boolean): void {
    const { leftRuns, activities } = this.#options;
    if (isLeft) return leftRuns.take(seq, content);
    const { task, trace, tried } = content;
    activities.start(seq, task, tried ? markRepublished(trace) : trace);
  }

  /** Inside a partition no message needs the broker. */
  #keepHere({ seq, outgoing }: Promised, isLeft: boolean): void {
    const { transport, arrive, read } = this.#options;
    const message = { ...outgoing.message, userId: transport.user };
    const receipt = { seq, ...(isLeft && { isLeft: true as const }) };
    arrive({ ...read({ message, tag: 0, redeliveries: 0 }), receipt });
  }

  #again({ seq, outgoing }: Promised): Promised {
    return { seq, outgoing: sendAgain(this.#options, outgoing) };
  }
}
