import type { Client, Health } from "./engine/client.ts";
import { EngineClient } from "./engine/requests/engine-client.ts";
import { WaybillError } from "./errors.ts";

/** A client that may not be there yet, and why not. */
export interface Late {
  client(): Client | undefined;
  reason(): string;
}

/**
 * A client that can be handed out before broker and store are reached: until then it is not ready, says why, and
 * refuses everything else with `unavailable`.
 */
export function lateClient(late: Late): Client {
  return new Proxy({} as Client, {
    get(_target, name) {
      const client = late.client();
      // Nothing but the client's own methods, so that it is not taken for a promise.
      if (!Object.hasOwn(EngineClient.prototype, name)) return undefined;
      if (client !== undefined) return methodOf(client, name);
      if (name === "health") return async () => notReady(late.reason());
      return async () => {
        throw notThere(late.reason());
      };
    },
  });
}

function methodOf(client: Client, name: string | symbol): unknown {
  const method: unknown = Reflect.get(client, name);
  return typeof method === "function" ? method.bind(client) : method;
}

function notReady(reason: string): Health {
  return {
    ready: false,
    problems: [reason],
    warnings: [],
    findings: [{ code: "not-started", severity: "problem" }],
    durability: "unknown",
    brokerDurability: "unknown",
    broker: "down",
    partitions: [],
    owned: [],
  };
}

function notThere(reason: string): WaybillError {
  return new WaybillError({
    code: "unavailable",
    message: `This process is not ready yet: ${reason}.`,
    action: "Try again; /readyz says when it is ready and what is in the way.",
    retryable: true,
  });
}
