import { Cluster, Command, Pipeline } from "ioredis";
import type { Clock } from "../../clock.ts";
import { Calls, type Send } from "./calls.ts";
import type { RedisClient } from "./connect.ts";
import { storeClosed, storeFailure, unavailable } from "./failures.ts";
import { type ReplicaGate, shortfall, waits } from "./replica-gate.ts";
import { knownScript, newScript } from "./script-command.ts";
import type { Script } from "./scripts.ts";
import { WireText } from "./wire-text.ts";

export interface LinkOptions {
  /** A new client that is not connected yet. */
  readonly client: () => RedisClient;
  /** The pause before the next client, when this many have come to their end by themselves. */
  readonly pauseMs: (attempt: number) => number;
  /** Called with every connection after the first: it may lead to another server. */
  readonly onReconnect: () => void;
  readonly clock: Pick<Clock, "after" | "monotonic">;
  /** How long a call may take, connecting included. */
  readonly callDeadlineMs: number;
  /** The server's address, for people. */
  readonly shown: string;
}

type Arguments = readonly (string | number)[];

/**
 * A connection on which every call ends in time: the client itself never settles a command whose connection
 * broke, and would send one that waited in its queue long after the caller was told that it failed.
 */
export class RedisLink {
  readonly #options: LinkOptions;
  readonly #calls: Calls;
  #client: RedisClient;
  #ended = 0;
  #connections = 0;
  #lastError: unknown;
  #isClosed = false;

  constructor(options: LinkOptions) {
    const { clock, callDeadlineMs: deadlineMs } = options;
    this.#options = options;
    this.#calls = new Calls({ clock, deadlineMs, late: () => this.#late(), failure: storeFailure });
    this.#client = this.#connected();
  }

  /** One command. */
  call(command: string, args: Arguments): Promise<unknown> {
    return this.#inTime(() => this.#send(new Command(command, [...args], asText)));
  }

  /** One command whose answer is given as bytes. */
  callBytes(command: string, args: Arguments): Promise<unknown> {
    return this.#inTime(() => this.#send(new Command(command, [...args])));
  }

  /** A script on the slot of `key`. */
  run(script: Script, key: string, args: Arguments = []): Promise<unknown> {
    const text = WireText.of(args);
    return this.#inTime(() => this.#evaluate(script, key, text));
  }

  /** A script, whose answer comes once enough replicas have what it wrote. */
  runGated(script: Script, key: string, args: WireText, gate: ReplicaGate): Promise<unknown> {
    if (gate.replicas === 0) return this.#inTime(() => this.#evaluate(script, key, args));
    return this.#inTime(() => this.#evaluateGated(script, key, args, gate));
  }

  /** The result of asking every master. */
  async onEachMaster(command: string, args: Arguments): Promise<readonly unknown[]> {
    const answers = await this.#inTime(() => {
      const client = this.#client;
      const masters = client instanceof Cluster ? client.nodes("master") : [client];
      return Promise.all(masters.map((master) => master.call(command, [...args])));
    });
    return answers as readonly unknown[];
  }

  /** Ends the connection; calls that are under way fail. */
  close(): void {
    this.#isClosed = true;
    this.#client.disconnect();
    this.#calls.failAll(storeClosed);
  }

  #connected(): RedisClient {
    const client = this.#options.client();
    client.on("error", (error: unknown) => {
      this.#lastError = error;
      const failure = storeFailure(error);
      // No use in waiting for a connection that is refused on principle.
      if (!failure.retryable) this.#calls.failAll(() => failure);
    });
    client.on("ready", () => {
      this.#lastError = undefined;
      this.#ended = 0;
      this.#calls.start();
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

  #inTime(send: Send): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(storeClosed());
    return this.#calls.make(send, this.#client.status === "ready");
  }

  /** What the client's own methods do, without their copies of the arguments. */
  #send(command: Command): Promise<unknown> {
    void this.#client.sendCommand(command);
    return command.promise;
  }

  #evaluate(script: Script, key: string, args: WireText): Promise<unknown> {
    return this.#send(knownScript(script, key, args)).catch((error: unknown) => {
      if (!isUnknownScript(error)) throw error;
      return this.#send(newScript(script, key, args));
    });
  }

  /** What waits speaks of its own connection's writes, so it goes out behind the script, to the same node. */
  async #evaluateGated(
    script: Script,
    key: string,
    args: WireText,
    gate: ReplicaGate,
  ): Promise<unknown> {
    const send = (command: Command) => {
      const pipeline = new Pipeline(this.#client);
      pipeline.sendCommand(command);
      for (const [wait, parameters] of waits(gate)) pipeline.call(wait, [...parameters]);
      return pipeline.exec();
    };
    let replies = await send(knownScript(script, key, args));
    if (await this.#hasRerouted(replies?.[0]?.[0])) {
      replies = await send(knownScript(script, key, args));
    }
    if (isUnknownScript(replies?.[0]?.[0])) replies = await send(newScript(script, key, args));
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
    this.#calls.failSent(() => unavailable("The connection to Redis broke.", this.#lastError));
  }
}

const asText = { replyEncoding: "utf8" } as const;

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("MOVED");
}
