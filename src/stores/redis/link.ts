import { Cluster } from "ioredis";
import type { Cancel, Clock } from "../../clock.ts";
import type { RedisClient } from "./connect.ts";
import { storeClosed, storeFailure, unavailable } from "./failures.ts";
import { type ReplicaGate, shortfall, waits } from "./replica-gate.ts";
import type { Script } from "./scripts.ts";

export interface LinkOptions {
  /** A new client that is not connected yet. */
  readonly client: () => RedisClient;
  /** The pause before the next client, when this many have come to their end by themselves. */
  readonly pauseMs: (attempt: number) => number;
  /** Called with every connection after the first: it may lead to another server. */
  readonly onReconnect: () => void;
  readonly clock: Pick<Clock, "after">;
  /** How long a call may take, connecting included. */
  readonly callDeadlineMs: number;
  /** The server's address, for people. */
  readonly shown: string;
}

type Arguments = readonly (string | number)[];

interface Pending {
  readonly fail: (error: unknown) => void;
  /** Sends the call, once there is a connection; undefined when it was sent. */
  send: (() => void) | undefined;
}

/**
 * A connection on which every call ends in time: the client itself never settles a command whose connection
 * broke, and would send one that waited in its queue long after the caller was told that it failed.
 */
export class RedisLink {
  readonly #options: LinkOptions;
  readonly #pending = new Set<Pending>();
  #client: RedisClient;
  #ended = 0;
  #connections = 0;
  #lastError: unknown;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#client = this.#connected();
  }

  /** One command. */
  call(command: string, args: Arguments): Promise<unknown> {
    return this.#inTime(() => this.#client.call(command, [...args]));
  }

  /** One command whose answer is given as bytes. */
  callBytes(command: string, args: Arguments): Promise<unknown> {
    return this.#inTime(() => this.#client.callBuffer(command, [...args]));
  }

  /** A script on the slot of `key`. */
  run(script: Script, key: string, args: Arguments = []): Promise<unknown> {
    return this.#inTime(() => this.#evaluate(script, argumentsOf(key, args)));
  }

  /** A script, whose answer comes once enough replicas have what it wrote. */
  runGated(script: Script, key: string, args: Arguments, gate: ReplicaGate): Promise<unknown> {
    if (gate.replicas === 0) return this.run(script, key, args);
    return this.#inTime(() => this.#evaluateGated(script, argumentsOf(key, args), gate));
  }

  /** The result of asking every master. */
  async onEachMaster(command: string, args: Arguments): Promise<readonly unknown[]> {
    return this.#inTime(() => {
      const client = this.#client;
      const masters = client instanceof Cluster ? client.nodes("master") : [client];
      return Promise.all(masters.map((master) => master.call(command, [...args])));
    });
  }

  /** Ends the connection; calls that are under way fail. */
  close(): void {
    this.#isClosed = true;
    this.#client.disconnect();
    for (const { fail } of this.#pending) fail(storeClosed());
  }

  #connected(): RedisClient {
    const client = this.#options.client();
    client.on("error", (error: unknown) => {
      this.#lastError = error;
      const failure = storeFailure(error);
      // No use in waiting for a connection that is refused on principle.
      if (!failure.retryable) for (const { fail } of this.#pending) fail(failure);
    });
    client.on("ready", () => {
      this.#lastError = undefined;
      this.#ended = 0;
      for (const call of this.#pending) start(call);
      this.#connections += 1;
      if (this.#connections > 1) this.#options.onReconnect();
    });
    client.on("close", () => this.#failSent());
    client.on("end", () => this.#replace());
    // The outcome is looked for in the events.
    client.connect().catch(() => undefined);
    return client;
  }

  /** The client gives up for good when a failover is found out while it connects by way of Sentinel. */
  #replace(): void {
    if (this.#isClosed) return;
    this.#ended += 1;
    const { clock, pauseMs } = this.#options;
    clock.after(pauseMs(this.#ended), () => {
      if (!this.#isClosed) this.#client = this.#connected();
    });
  }

  #inTime<Result>(send: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) return Promise.reject(storeClosed());
    const { clock, callDeadlineMs } = this.#options;
    return new Promise<Result>((resolve, reject) => {
      let cancel: Cancel | undefined;
      const settle = (tell: () => void) => {
        if (!this.#pending.delete(call)) return;
        cancel?.();
        tell();
      };
      const fail = (error: unknown) => settle(() => reject(storeFailure(error)));
      const call: Pending = {
        fail,
        send: () => void send().then((result) => settle(() => resolve(result)), fail),
      };
      this.#pending.add(call);
      cancel = clock.after(callDeadlineMs, () => fail(this.#late()));
      if (this.#client.status === "ready") start(call);
    });
  }

  async #evaluate(script: Script, args: Arguments): Promise<unknown> {
    const client = this.#client;
    try {
      return await client.call("evalsha", [script.sha, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return client.call("eval", [script.text, ...args]);
    }
  }

  /** What waits speaks of its own connection's writes, so it goes out behind the script, to the same node. */
  async #evaluateGated(script: Script, args: Arguments, gate: ReplicaGate): Promise<unknown> {
    const send = (command: string, name: string) => {
      const pipeline = this.#client.pipeline().call(command, [name, ...args]);
      for (const [wait, parameters] of waits(gate)) pipeline.call(wait, [...parameters]);
      return pipeline.exec();
    };
    let replies = await send("evalsha", script.sha);
    if (await this.#hasRerouted(replies?.[0]?.[0])) replies = await send("evalsha", script.sha);
    if (isUnknownScript(replies?.[0]?.[0])) replies = await send("eval", script.text);
    const [answer, ...reached] = (replies ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
    const failure = shortfall(gate, reached);
    if (failure !== undefined) throw failure;
    return answer;
  }

  /** The client follows a partition to its new node only in pipelines that do nothing but read. */
  async #hasRerouted(error: unknown): Promise<boolean> {
    const client = this.#client;
    if (!(client instanceof Cluster && isMoved(error))) return false;
    await new Promise<void>((resolve) => {
      client.refreshSlotsCache(() => resolve());
    });
    return true;
  }

  #late(): Error {
    const { shown, callDeadlineMs } = this.#options;
    if (this.#lastError !== undefined) return storeFailure(this.#lastError);
    return unavailable(`Redis at ${shown} did not answer within ${callDeadlineMs} ms.`);
  }

  #failSent(): void {
    const why = () => unavailable("The connection to Redis broke.", this.#lastError);
    for (const { send, fail } of this.#pending) if (send === undefined) fail(why());
  }
}

/**
 * With a second key that is never there, a cluster refuses the script while it moves the slot. It would run where
 * some of the keys that the script derives are still or already elsewhere, and take them for missing.
 */
function argumentsOf(key: string, args: Arguments): Arguments {
  return [2, key, `${key}:none`, ...args];
}

function start(call: Pending): void {
  const { send } = call;
  call.send = undefined;
  send?.();
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("MOVED");
}
