import type { Commit, DeadLetterRow, InstanceWrite, OutboxEntry, TimerRow } from "../../commit.ts";
import type { ErrorFacts } from "../../errors.ts";
import type { Headers } from "../../message.ts";
import type { Observation } from "../../observer.ts";
import { type Names, partitionOf } from "../../routing.ts";
import type { Tracer } from "../../tracer.ts";
import type { Arrival, ReplyTo, WatchArrival } from "../arrival.ts";
import type { LetterEntry } from "../dead-letter.ts";
import { type Instance, isOver } from "../instance.ts";
import type { Definition, Registry } from "../registry.ts";
import { readLetter } from "../stored-text.ts";
import { retentionTimer, timerId } from "../timer-id.ts";
import { jsonMessage, type OutboxContent } from "../wire.ts";
import { type Draft, writeOf } from "./draft.ts";
import { PlanSpans } from "./plan-spans.ts";

/** What planning a batch of one partition needs to know. */
export interface PlanContext {
  readonly registry: Registry;
  readonly names: Names;
  readonly partition: number;
  readonly partitions: number;
  /** A time that is not before the store's clock, in milliseconds. */
  readonly now: number;
  readonly inboxWindowMs: number;
  readonly missingInstanceWaitMs: number;
  /** `seq`s from here on are free. */
  readonly nextSeq: number;
  /** Messages (`key`, space, `id`) that the store has refused as handled before, or as too old. */
  readonly handled: ReadonlySet<string>;
  readonly tooOld: ReadonlySet<string>;
  /** The arrival is tried alone, and must not be blamed for what waits for it: that is sent behind it instead. */
  readonly isAlone: boolean;
  /** Rows of the dead letters that the batch is about, by id. */
  readonly letters: ReadonlyMap<string, string>;
  readonly tracer: Tracer;
  /** The trace context of the batch, when it has one of its own. */
  readonly batch?: Headers;
  /** A new id for a dead letter whose message has none. */
  readonly newId: () => string;
}

/** What a requester is told. */
export type ReplyBody =
  | { readonly outcome: string; readonly instance?: Instance }
  | { readonly problem: ErrorFacts };

export interface PlannedReply {
  readonly to: ReplyTo;
  readonly body: ReplyBody;
}

/** A named action of a machine, to be run after the commit, at most once. */
export interface PlannedAction {
  readonly key: string;
  readonly type: string;
  readonly run: () => unknown;
}

/** Everything that a batch asks for, collected until it is committed. It changes nothing outside itself. */
export class Plan {
  readonly context: PlanContext;
  readonly drafts = new Map<string, Draft>();
  readonly outbox: { readonly seq: number; readonly content: OutboxContent }[] = [];
  readonly settled = new Set<number>();
  readonly armed = new Map<string, number>();
  readonly disarmed = new Set<string>();
  deadLetters: DeadLetterRow[] = [];
  readonly lettersRemoved = new Set<string>();
  readonly replies: PlannedReply[] = [];
  readonly observations: Observation[] = [];
  readonly spans: PlanSpans;
  readonly actions: PlannedAction[] = [];
  /** Local activities to abort: `key#generation#activity`. */
  readonly aborts: string[] = [];
  readonly watches: WatchArrival[] = [];
  /** Messages that are refused to a requester, by key: before he is told so, the inbox must not know them. */
  readonly doubts = new Map<string, Set<string>>();
  readonly #instances: ReadonlyMap<string, Instance | undefined>;
  #seq: number;
  #ownQueue: string | undefined;
  /** One message asks for the same one several times. */
  #lastDefinition:
    | { key: string; version: string | undefined; definition: Definition | undefined }
    | undefined;

  constructor(context: PlanContext, instances: ReadonlyMap<string, Instance | undefined>) {
    this.context = context;
    this.spans = new PlanSpans(context);
    this.#instances = instances;
    this.#seq = context.nextSeq;
  }

  /** The queue of the plan's partition. */
  get ownQueue(): string {
    const { names, partition } = this.context;
    this.#ownQueue ??= names.partition(partition);
    return this.#ownQueue;
  }

  /** The `seq` after the last one that this plan uses. */
  get nextSeq(): number {
    return this.#seq;
  }

  draft(key: string): Draft {
    const known = this.drafts.get(key);
    if (known !== undefined) return known;
    const before = this.#instances.get(key);
    const draft: Draft = {
      key,
      before,
      current: before,
      inbox: [],
      inboxForget: [],
      history: [],
      effects: 0,
      touched: false,
    };
    this.drafts.set(key, draft);
    return draft;
  }

  /** The definition that an instance runs on, or would start on. */
  definition(key: string, instance: Instance | undefined): Definition | undefined {
    const version = instance?.actor === undefined ? undefined : instance.definition;
    const last = this.#lastDefinition;
    if (last !== undefined && last.key === key && last.version === version) return last.definition;
    const definition = this.context.registry.find(key.slice(0, key.indexOf("/")), version);
    this.#lastDefinition = { key, version, definition };
    return definition;
  }

  /** Puts a promise into the outbox and answers its `seq`. */
  promise(content: OutboxContent): number {
    const seq = this.#seq;
    this.#seq += 1;
    this.outbox.push({ seq, content: this.spans.promised(content) });
    return seq;
  }

  /** Promises a message of the engine to another instance, wherever its partition is. */
  sendInternal(
    key: string,
    message: { id: string; type: string; trace: Readonly<Record<string, string>>; body: object },
  ): void {
    const partition = partitionOf(key, this.context.partitions);
    this.promise({
      kind: "publish",
      outgoing: {
        exchange: "",
        routingKey: this.context.names.partition(partition),
        message: jsonMessage(
          {
            id: message.id,
            type: message.type,
            timestamp: Math.floor(this.context.now),
            headers: { ...message.trace, "x-waybill-instance": key },
          },
          message.body,
        ),
      },
    });
  }

  arm(timer: { key: string; generation: number; name: string }, due: number): void {
    this.armed.set(timerId(timer), due);
  }

  disarm(timer: { key: string; generation: number; name: string }): void {
    const id = timerId(timer);
    this.armed.delete(id);
    this.disarmed.add(id);
  }

  reply(arrival: Arrival, body: ReplyBody): void {
    if (arrival.reply !== undefined) this.replies.push({ to: arrival.reply, body });
  }

  /** Notes a message with an id that is about to be refused although its instance exists. */
  doubt({ key, messageId }: Pick<Arrival, "key" | "messageId">): void {
    if (messageId === undefined || this.#instances.get(key) === undefined) return;
    const ids = this.doubts.get(key) ?? new Set();
    this.doubts.set(key, ids.add(messageId));
  }

  /** A dead letter that the batch is about, as long as it is there. */
  letter(id: string): LetterEntry | undefined {
    const entry = this.lettersRemoved.has(id) ? undefined : this.context.letters.get(id);
    return entry === undefined ? undefined : readLetter(id, entry);
  }

  /** Removes a dead letter, also one that this batch has made. */
  forgetLetter(id: string): void {
    this.deadLetters = this.deadLetters.filter((row) => row.id !== id);
    this.lettersRemoved.add(id);
  }

  /** The commit of all this, without what only the partition knows. */
  toCommit(): Omit<Commit, "epoch" | "commitId" | "outboxSettled"> {
    for (const draft of this.drafts.values()) this.#settleRetention(draft);
    return {
      partition: this.context.partition,
      inboxWindowMs: this.context.inboxWindowMs,
      instances: [...this.drafts.values()]
        .filter((draft) => draft.touched)
        .map((draft) => this.#write(draft)),
      outboxAdded: this.#outboxEntries(),
      timersArmed: [...this.armed].map(([id, due]): TimerRow => ({ id, due })),
      timersDisarmed: [...this.disarmed],
      deadLettersAdded: this.deadLetters,
      deadLettersRemoved: [...this.lettersRemoved],
    };
  }

  /** True when there is nothing to write. */
  get isEmpty(): boolean {
    const letters = this.deadLetters.length + this.lettersRemoved.size;
    return (
      this.outbox.length + this.armed.size + this.disarmed.size + letters === 0 &&
      ![...this.drafts.values()].some((draft) => draft.touched)
    );
  }

  /** What has ended is kept for a time; what has begun anew is kept as long as it runs. */
  #settleRetention({ key, before, current }: Draft): void {
    const wasOver = before !== undefined && isOver(before);
    const isOverNow = current !== undefined && isOver(current);
    if (!wasOver && !isOverNow) return;
    const timer = { key, generation: 0, name: retentionTimer };
    if (!isOverNow) return this.disarm(timer);
    if (wasOver && !this.disarmed.has(timerId(timer))) return;
    const { now, inboxWindowMs } = this.context;
    const { retentionMs = 0 } = this.definition(key, current)?.workflow ?? {};
    this.arm(timer, now + Math.max(retentionMs, 2 * inboxWindowMs));
  }

  /** A run that was called off again in the same batch leaves no trace. */
  #outboxEntries(): readonly OutboxEntry[] {
    return this.outbox
      .filter(({ seq }) => !this.settled.has(seq))
      .map(({ seq, content }) => ({ seq, entry: JSON.stringify(content) }));
  }

  #write(draft: Draft): InstanceWrite {
    const { now } = this.context;
    return writeOf(draft, now, (instance) => this.definition(draft.key, instance));
  }
}
