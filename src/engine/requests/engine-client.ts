import { type Cancel, sleep } from "../../clock.ts";
import { WaybillError } from "../../errors.ts";
import { instanceHeader } from "../../message.ts";
import type { Page } from "../../store.ts";
import type {
  Client,
  ControlRequest,
  DeadLetter,
  DeadLetterQuery,
  DryRun,
  Health,
  HistoryEntry,
  InstanceView,
  ListRequest,
  Redriven,
  RedriveRequest,
  SendRequest,
  SendResult,
  StartRequest,
  StartResult,
  Until,
  WorkflowView,
} from "../client.ts";
import { Monitor, type Watched } from "../health/monitor.ts";
import { type EnginePorts, textOf } from "../ports.ts";
import { hasReached } from "../view.ts";
import { jsonMessage, wire } from "../wire.ts";
import { Admission } from "./admission.ts";
import { dryRun } from "./dry-run.ts";
import { Operator } from "./operator.ts";
import { Reader } from "./reader.ts";
import { Requester, unlessRefused } from "./requester.ts";

const answerTimeoutMs = 10_000;
const keepTimeMs = 30_000;
const patienceMs = 30_000;
const againMs = 500;

type Created = Extract<StartResult, { instance: InstanceView }>;

export interface EngineClientOptions extends Watched {
  readonly ports: EnginePorts;
  /** Whether it looks after the health of its process by itself, and tells the observer what changes. */
  readonly watches?: boolean;
  /** Called after the client has closed, when the connections are its own. */
  readonly release?: () => Promise<void>;
}

/** The client of a process that reaches store and transport. It owns nothing and needs no engine beside it. */
export class EngineClient implements Client {
  readonly #ports: EnginePorts;
  readonly #reader: Reader;
  readonly #requester: Requester;
  readonly #admission: Admission;
  readonly #operator: Operator;
  readonly #monitor: Monitor;
  readonly #watches: boolean;
  #cancel: Cancel | undefined;
  readonly #release: (() => Promise<void>) | undefined;

  constructor({ ports, release, watches = false, ...watched }: EngineClientOptions) {
    this.#ports = ports;
    this.#reader = new Reader(ports);
    this.#requester = new Requester(ports);
    this.#admission = new Admission(ports, this.#reader);
    this.#operator = new Operator(ports, this.#reader, this.#requester);
    this.#monitor = new Monitor(ports, watched);
    this.#watches = watches;
    this.#release = release;
  }

  /** Opens the queue for answers. */
  async open(): Promise<void> {
    await this.#learnTimePatiently();
    this.#keepTime();
    await this.#requester.start();
    if (this.#watches) this.#monitor.begin();
  }

  /** Gives the queue up; requests that still wait are refused. Closing twice does no harm. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#monitor.end();
    await this.#requester.stop();
    await this.#release?.();
  }

  /** A store that was there a moment ago may be on its way to another node. */
  async #learnTimePatiently(): Promise<void> {
    const { clock, observer } = this.#ports;
    for (let left = patienceMs; ; left -= againMs) {
      try {
        return await this.#learnTime();
      } catch (error) {
        if (left <= 0) throw error;
        observer.observe({ kind: "trouble", where: "store", message: textOf(error) });
        await sleep(clock, againMs);
      }
    }
  }

  async #learnTime(): Promise<void> {
    const { clock, store, storeClock } = this.#ports;
    const sentAt = clock.monotonic();
    storeClock.learn(sentAt, await store.now());
  }

  /** A process that sleeps loses time, and what it would send then would look too old to be taken. */
  #keepTime(): void {
    this.#cancel = this.#ports.clock.after(keepTimeMs, () => {
      this.#keepTime();
      this.#learnTime().catch(() => undefined);
    });
  }

  async start(request: StartRequest): Promise<Created> {
    const to = await this.#admission.start(request);
    const answer = await this.#requester.ask({
      routingKey: to.routingKey,
      message: to.message,
      timeoutMs: answerTimeoutMs,
      recheck: async () => {
        const found = await this.#reader.find(request.workflow, to.id);
        if (found?.startMessageId !== to.messageId) return undefined;
        return { outcome: "created", instance: this.#reader.view(found) };
      },
    });
    return unlessRefused(answer) as unknown as Created;
  }

  async startAsync(
    request: StartRequest,
  ): Promise<{ readonly outcome: "accepted"; readonly id: string }> {
    const to = await this.#admission.start(request);
    await this.#requester.tell(to.routingKey, to.message);
    return { outcome: "accepted", id: to.id };
  }

  async send(request: SendRequest): Promise<SendResult> {
    const to = this.#admission.event(request);
    const answer = await this.#requester.ask({
      routingKey: to.routingKey,
      message: to.message,
      timeoutMs: answerTimeoutMs,
      recheck: async () => {
        const { store } = this.#ports;
        const known = await store.handled(to.partition, to.key, [to.messageId]);
        if (known.length === 0) return undefined;
        return { outcome: "applied", instance: await this.get(request.workflow, request.id) };
      },
    });
    return unlessRefused(answer) as unknown as SendResult;
  }

  async sendAsync(request: SendRequest): Promise<{ readonly outcome: "accepted" }> {
    const to = this.#admission.event(request);
    await this.#requester.tell(to.routingKey, to.message);
    return { outcome: "accepted" };
  }

  async dryRun(request: SendRequest): Promise<DryRun> {
    const { key } = this.#admission.event(request);
    const instance = await this.#reader.load(request.workflow, request.id);
    const definition = this.#reader.definition(instance);
    return dryRun({ key, instance, definition }, request, this.#ports.storeClock.latest());
  }

  async get(workflow: string, id: string): Promise<InstanceView> {
    return this.#reader.view(await this.#reader.load(workflow, id));
  }

  async wait(
    workflow: string,
    id: string,
    options: { readonly until?: Until; readonly timeoutMs: number },
  ): Promise<{ readonly reached: boolean; readonly instance: InstanceView }> {
    const { until = "done", timeoutMs } = options;
    const { key, partition } = this.#reader.locate(workflow, id);
    const look = async () => {
      const found = await this.#reader.load(workflow, id);
      const reached = hasReached(found, this.#reader.definition(found), until);
      return reached ? { outcome: "reached", instance: this.#reader.view(found) } : undefined;
    };
    const now = await look();
    if (now !== undefined) return { reached: true, instance: now.instance };
    const message = jsonMessage(
      { type: wire.watch, headers: { [instanceHeader]: key } },
      { until },
    );
    const routingKey = this.#ports.names.partition(partition);
    const asked = this.#requester.ask({ routingKey, message, timeoutMs, recheck: look });
    const answer = await asked.catch((error: unknown) => {
      if (error instanceof WaybillError && error.code === "deadline") return undefined;
      throw error;
    });
    if (answer === undefined) return { reached: false, instance: await this.get(workflow, id) };
    return { reached: true, instance: unlessRefused(answer)["instance"] as InstanceView };
  }

  list(request: ListRequest): Promise<Page<InstanceView>> {
    return this.#reader.list(request);
  }

  history(
    workflow: string,
    id: string,
    options?: { readonly after?: number; readonly limit?: number },
  ): Promise<readonly HistoryEntry[]> {
    return this.#reader.history(workflow, id, options);
  }

  workflows(): Promise<readonly WorkflowView[]> {
    return this.#reader.workflows();
  }

  workflow(name: string): Promise<WorkflowView> {
    return this.#reader.workflow(name);
  }

  retry(request: ControlRequest): Promise<InstanceView> {
    return this.#operator.control("retry", request);
  }

  terminate(request: ControlRequest): Promise<InstanceView> {
    return this.#operator.control("terminate", request);
  }

  suspend(request: ControlRequest): Promise<InstanceView> {
    return this.#operator.control("suspend", request);
  }

  resume(request: ControlRequest): Promise<InstanceView> {
    return this.#operator.control("resume", request);
  }

  deadLetters(query?: DeadLetterQuery): Promise<Page<DeadLetter>> {
    return this.#reader.deadLetters(query);
  }

  redriveDeadLetter(id: string): Promise<void> {
    return this.#operator.settle("redrive", id);
  }

  dropDeadLetter(id: string): Promise<void> {
    return this.#operator.settle("drop", id);
  }

  redriveDeadLetters(request: RedriveRequest): Promise<Redriven> {
    return this.#operator.redriveAll(request);
  }

  health(): Promise<Health> {
    return this.#monitor.health();
  }
}
