import type { Binding, Queue, Topology } from "../../src/transport.ts";

/** Everything that was declared, each queue and binding once: what may have to be made again. */
export class Wishes {
  readonly #queues = new Map<string, Queue>();
  readonly #bindings = new Map<string, Binding>();

  add({ queues, bindings }: Topology): void {
    for (const queue of queues) this.#queues.set(queue.name, queue);
    for (const binding of bindings) {
      const { queue, exchange, pattern } = binding;
      this.#bindings.set(JSON.stringify([queue, exchange, pattern]), binding);
    }
  }

  /** A queue with its bindings; undefined when nobody has declared it. */
  of(name: string): Topology | undefined {
    const queue = this.#queues.get(name);
    if (queue === undefined) return undefined;
    const bindings = [...this.#bindings.values()].filter((binding) => binding.queue === name);
    return { queues: [queue], bindings };
  }

  /**
   * All but reply queues. They ended with their connection, and whoever has lost its consumer declares its own again; the
   * broker may refuse them for long: it holds them for a connection that it has not missed yet, or a dead node of its cluster.
   */
  get topology(): Topology {
    const queues = [...this.#queues.values()].filter(({ kind }) => kind !== "reply");
    const bindings = [...this.#bindings.values()].filter(
      ({ queue }) => this.#queues.get(queue)?.kind !== "reply",
    );
    return { queues, bindings };
  }
}
