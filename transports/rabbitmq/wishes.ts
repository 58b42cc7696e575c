import type { Binding, Queue, Topology } from "../../src/transport.ts";

/** Everything that was declared, each queue and binding once: what has to exist again after a reconnect. */
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

  get topology(): Topology {
    return { queues: [...this.#queues.values()], bindings: [...this.#bindings.values()] };
  }
}
