import type { Client, InstanceView, StartRequest } from "../../../src/engine/client.ts";
import { WaybillError } from "../../../src/errors.ts";

interface Entry {
  readonly input: unknown;
  state: string;
  status: InstanceView["status"];
}

/** A client whose instances a test moves by hand. */
export class ScriptedClient implements Pick<Client, "start" | "get" | "workflow"> {
  readonly instances = new Map<string, Entry>();
  /** Every start that was asked for, in order. */
  readonly asked: string[] = [];
  /** Thrown by the next starts, one each. */
  readonly failures: Error[] = [];
  mostInFlight = 0;
  #inFlight = 0;

  async start({ id = "", input }: StartRequest) {
    this.asked.push(id);
    this.mostInFlight = Math.max(this.mostInFlight, (this.#inFlight += 1));
    await new Promise(setImmediate);
    this.#inFlight -= 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const existing = this.instances.get(id);
    if (existing === undefined) this.instances.set(id, { input, state: "open", status: "active" });
    else if (JSON.stringify(existing.input) !== JSON.stringify(input)) {
      throw new WaybillError({ code: "exists", message: `${id} exists.`, action: "Take another." });
    }
    const outcome = existing === undefined ? ("created" as const) : ("existing" as const);
    return { outcome, instance: await this.get("w", id) };
  }

  async get(workflow: string, id: string): Promise<InstanceView> {
    const { state, status } = this.instances.get(id) ?? { state: "?", status: "error" as const };
    return {
      workflow,
      id,
      definition: "1",
      version: 1,
      status,
      state,
      tags: [],
      context: {},
      timers: [],
      activities: [],
      accepts: [],
      waiting: 0,
      createdAt: 0,
      updatedAt: 0,
    };
  }

  async workflow(name: string) {
    const counts: Record<string, number> = {};
    for (const { state, status } of this.instances.values()) {
      for (const term of [`status:${status}`, `state:${state}`])
        counts[term] = (counts[term] ?? 0) + 1;
    }
    return { name, versions: ["1"], states: [], startedBy: [], events: [], emits: [], counts };
  }

  end(id: string, state: string): void {
    const entry = this.instances.get(id);
    if (entry !== undefined) Object.assign(entry, { state, status: "done" });
  }
}
