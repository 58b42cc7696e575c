import type { Clock } from "../clock.ts";
import type { Confirmation, Outgoing, Transport } from "../transport.ts";
import { Turn } from "./turn.ts";

interface Asked {
  readonly outgoing: Outgoing;
  readonly settle: (confirmation: Confirmation) => void;
}

/** Publishes together what is asked for in one turn of the event loop: each call of the transport has its price. */
export class TurnPublisher {
  readonly #transport: Transport;
  readonly #turn: Turn<Asked>;

  constructor({ clock, transport }: { readonly clock: Clock; readonly transport: Transport }) {
    this.#transport = transport;
    this.#turn = new Turn(clock, (asked) => void this.#publish(asked));
  }

  publish(outgoing: Outgoing): Promise<Confirmation> {
    return new Promise((settle) => {
      this.#turn.add({ outgoing, settle });
    });
  }

  async #publish(asked: readonly Asked[]): Promise<void> {
    const outcome = await this.#transport.publish(asked.map(({ outgoing }) => outgoing));
    for (const [index, { settle }] of asked.entries()) settle(outcome[index] ?? "failed");
  }
}
