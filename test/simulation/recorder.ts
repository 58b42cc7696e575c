import type { Commit, CommitAnswer, InstanceWrite } from "../../src/commit.ts";
import type { LetterEntry } from "../../src/engine/dead-letter.ts";
import { parseTimerId } from "../../src/engine/timer-id.ts";
import type { OutboxContent } from "../../src/engine/wire.ts";
import { partitionOf } from "../../src/routing.ts";
import { MemoryStore } from "../../src/stores/memory/store.ts";
import {
  emptyStoreData,
  type MemoryStoreData,
  type PartitionData,
} from "../../src/stores/memory/store-data.ts";
import type { RecordView } from "../support/instance-checks.ts";
import type { Firing, HistoryEntry } from "../support/replay.ts";
import { runsInVain } from "./ending-check.ts";
import type { StoreServer } from "./store-server.ts";
import { timersMisfit } from "./timer-check.ts";
import type { Trace } from "./trace.ts";

/** A message that a commit has promised to the outside. */
export interface Promised {
  readonly key: string;
  readonly version: number;
  readonly type: string;
  readonly body: string;
}

/**
 * The one true store behind all connections. It looks at each commit that it takes: what must hold at every
 * moment is checked here, what has to be compared at the end is written down.
 */
export class Recorder extends MemoryStore {
  readonly data: MemoryStoreData;
  readonly violations: string[] = [];
  readonly firings: Firing[] = [];
  /** By message id: everything that went into an outbox for the topic exchange. */
  readonly promised = new Map<string, Promised>();
  /** By key: every message id that an inbox has ever taken in. */
  readonly remembered = new Map<string, Set<string>>();
  /** By key: ids that an inbox took in and that went with it when the instance was removed. */
  readonly forgotten = new Map<string, Set<string>>();
  /** Messages, `key id`, that were set aside for their age. */
  readonly aged = new Set<string>();
  /** When a message, `key id`, was applied, by the store's clock. */
  readonly appliedAt = new Map<string, number>();
  /** Every commit that was taken. */
  readonly log: Commit[] = [];
  /** Ids of the commits whose owner knows that they were taken. */
  readonly answered = new Set<string>();
  readonly #server: StoreServer;
  readonly #trace: Trace;
  readonly #versions = new Map<string, number>();
  readonly #messages = new Map<string, Set<string>>();

  constructor(server: StoreServer, trace: Trace) {
    const data = emptyStoreData();
    super(data, { clock: server });
    this.data = data;
    this.#server = server;
    this.#trace = trace;
  }

  violate(what: string): void {
    this.violations.push(what);
    this.#trace.say("ORACLE", what);
  }

  /** Whether there is such an instance, and not only events that wait for it. */
  isStarted(key: string): boolean {
    return isStarted(this.#partition(partitionOf(key, this.data.partitions.length)), key);
  }

  /** The last commits that a partition has taken. */
  lastCommits(partition: number, count: number): readonly Commit[] {
    return this.log.filter((one) => one.partition === partition).slice(-count);
  }

  /** Makes the store forget what it has taken since. */
  rollBack(partition: number, before: PartitionData): void {
    const { histories, sequence } = this.#partition(partition);
    for (const { outboxAdded } of this.lastCommits(partition, sequence - before.sequence)) {
      for (const { entry } of outboxAdded) this.#unpromise(JSON.parse(entry) as OutboxContent);
    }
    this.data.partitions = this.data.partitions.with(partition, before);
    for (const key of histories.keys()) {
      const known = (before.histories.get(key) ?? []).map(
        (text) => JSON.parse(text) as HistoryEntry,
      );
      const last = known.at(-1);
      if (last === undefined) this.#versions.delete(key);
      else this.#versions.set(key, last.version);
      const ids = new Set(known.flatMap(({ messageId }) => messageId ?? []));
      for (const id of this.#messages.get(key) ?? []) {
        if (!ids.has(id)) this.appliedAt.delete(`${key} ${id}`);
      }
      this.#messages.set(key, ids);
    }
  }

  override async commit(commit: Commit): Promise<CommitAnswer> {
    const data = this.#partition(commit.partition);
    const { sequence } = data;
    const timers = new Map(data.timers);
    const denied = deniedIn(commit, data);
    const answering = super.commit(commit);
    if (data.sequence > sequence) {
      this.log.push(commit);
      for (const what of denied) this.violate(what);
      this.#record(commit, data, timers);
    }
    const answer = await answering;
    this.#trace.say("store", `${commit.commitId} ${answer.kind} ${summary(commit)}`);
    return answer;
  }

  #record(commit: Commit, data: PartitionData, timersBefore: ReadonlyMap<string, number>): void {
    for (const { entry } of commit.outboxAdded) this.#promise(JSON.parse(entry) as OutboxContent);
    for (const { key, reason, messageId } of lettersIn(commit)) {
      if (reason === "too-old") this.aged.add(`${key} ${messageId}`);
    }
    for (const what of runsInVain(commit, timersBefore)) this.violate(what);
    for (const write of commit.instances) {
      const ids = this.remembered.get(write.key) ?? new Set();
      for (const { id } of write.inbox) ids.add(id);
      this.remembered.set(write.key, ids);
      if (write.record === undefined) this.forgotten.set(write.key, new Set(ids));
      const history = write.history.map((entry) => JSON.parse(entry) as HistoryEntry);
      this.#checkHistory(write, history);
      this.#checkFirings(commit, write.key, history, timersBefore);
      for (const misfit of timersMisfit(write, data.timers, this.#server.latest()))
        this.violate(misfit);
    }
  }

  #promise(content: OutboxContent): void {
    if (content.kind !== "publish" || content.outgoing.exchange !== "events") return;
    const { id = "", type = "", body } = content.outgoing.message;
    const [, key = "", version = "0"] = /^([^/:]+\/[^/]+)\/(\d+)\/\d+$/.exec(id) ?? [];
    const known = this.promised.get(id);
    if (known !== undefined && known.body !== body) this.violate(`effect id ${id} is used twice`);
    this.promised.set(id, { key, version: Number(version), type, body });
  }

  #unpromise(content: OutboxContent): void {
    if (content.kind === "publish") this.promised.delete(content.outgoing.message.id ?? "");
  }

  #checkHistory({ key, version }: InstanceWrite, history: readonly HistoryEntry[]): void {
    for (const entry of history) {
      const last = this.#versions.get(key);
      if (last !== undefined && entry.version !== last + 1) {
        this.violate(`${key}: version ${entry.version} follows ${last} in the history`);
      }
      this.#versions.set(key, entry.version);
      if (entry.messageId === undefined) continue;
      const seen = this.#messages.get(key) ?? new Set();
      if (seen.has(entry.messageId)) this.violate(`${key}: ${entry.messageId} was applied twice`);
      this.#messages.set(key, seen.add(entry.messageId));
      this.appliedAt.set(`${key} ${entry.messageId}`, this.#server.now());
    }
    const last = this.#versions.get(key);
    if (last !== undefined && last !== version) {
      this.violate(`${key}: version ${version} is stored, but the history ends at ${last}`);
    }
  }

  #checkFirings(
    { timersDisarmed }: Commit,
    key: string,
    history: readonly HistoryEntry[],
    before: ReadonlyMap<string, number>,
  ): void {
    const types = new Set(history.map(({ type }) => type));
    for (const id of timersDisarmed) {
      const timer = parseTimerId(id);
      const due = before.get(id);
      if (due === undefined || timer?.key !== key || !types.has(timer.name)) continue;
      // A timer was due although the clock has been set back since.
      const at = this.#server.latest();
      this.firings.push({ id, due, at });
      if (at < due) this.violate(`${id} fired ${due - at} ms early`);
    }
  }

  #partition(partition: number): PartitionData {
    return this.data.partitions[partition] as PartitionData;
  }
}

/** Messages that a commit sets aside for want of an instance that is there. */
function deniedIn(commit: Commit, data: PartitionData): readonly string[] {
  return lettersIn(commit).flatMap(({ key = "", reason, type, messageId }) => {
    if (reason !== "missing-instance" || !isStarted(data, key)) return [];
    return [`${type} ${messageId} found no ${key}, but it is there`];
  });
}

function lettersIn({ deadLettersAdded }: Commit): readonly LetterEntry[] {
  return deadLettersAdded.map(({ entry }) => JSON.parse(entry) as LetterEntry);
}

function isStarted({ instances }: PartitionData, key: string): boolean {
  const stored = instances.get(key)?.stored;
  return stored !== undefined && (JSON.parse(stored.record) as RecordView).actor !== undefined;
}

function summary(commit: Commit): string {
  const instances = commit.instances.map(
    ({ key, expectedVersion, version, inbox }) =>
      `${key} ${expectedVersion}>${version} [${inbox.map(({ id }) => id).join(" ")}]`,
  );
  const { partition, epoch, outboxAdded, outboxSettled } = commit;
  const seqs = `+${outboxAdded.map(({ seq }) => seq).join()} -${outboxSettled.join()}`;
  return `p${partition} e${epoch} outbox ${seqs} ${instances.join("; ")}`;
}
