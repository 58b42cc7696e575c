import { type Commit, type CommitAnswer, claimsKept, type InboxQuery } from "../../commit.ts";
import { WaybillError } from "../../errors.ts";
import type { Announced, Member } from "../../member.ts";
import type { Claim, Durability, ListQuery, Store } from "../../store.ts";
import { judge } from "../judge.ts";
import { partitionCountError } from "../partition-count.ts";
import {
  emptyPartition,
  headOf,
  headSince,
  type MemoryStoreData,
  type PartitionData,
  writeCommit,
} from "./store-data.ts";
import {
  byText,
  countTerms,
  inboxPage,
  listDeadLetters,
  listInstances,
  statusOf,
} from "./store-queries.ts";

/** Milliseconds since the Unix epoch, as a store tells them. */
export interface StoreClock {
  now(): number;
}

/** A store that forgets everything with its data. Several of them on the same data stand for several processes. */
export class MemoryStore implements Store {
  readonly #data: MemoryStoreData;
  readonly #clock: StoreClock;

  constructor(data: MemoryStoreData, options: { readonly clock: StoreClock }) {
    this.#data = data;
    this.#clock = options.clock;
  }

  async open({ partitions }: { readonly partitions: number }): Promise<void> {
    const stored = this.#data.partitions.length;
    if (stored !== 0 && stored !== partitions) throw partitionCountError(stored, partitions);
    if (stored === 0) this.#data.partitions = Array.from({ length: partitions }, emptyPartition);
  }

  durability(): Durability {
    return "memory";
  }

  async now(): Promise<number> {
    return this.#clock.now();
  }

  async announce(member: Member, ttlMs: number): Promise<Announced> {
    const now = this.#clock.now();
    const before = this.#data.members.get(member.id)?.until ?? 0;
    const until = now + ttlMs;
    this.#data.members.set(member.id, { member, until });
    const living = [...this.#data.members.values()].filter((row) => row.until > now);
    const members = living.map((row) => row.member);
    return { members: members.toSorted((one, other) => byText(one.id, other.id)), until, before };
  }

  async leave(memberId: string): Promise<void> {
    this.#data.members.delete(memberId);
  }

  async claim(
    partition: number,
    owner: string,
    leaseMs: number,
    above = 0,
  ): Promise<Claim | undefined> {
    const data = this.#partition(partition);
    const now = this.#clock.now();
    if (data.leaseUntil > now && data.owner !== owner) return undefined;
    const head = headSince(data, above);
    data.epoch = Math.max(data.epoch, above) + 1;
    data.base = data.sequence;
    const { epoch, sequence } = data;
    data.claims = [...data.claims, { epoch, sequence }].slice(-claimsKept);
    data.owner = owner;
    data.leaseUntil = now + leaseMs;
    return { epoch: data.epoch, now, lastSeq: data.lastSeq, head };
  }

  async renew(partition: number, epoch: number, leaseMs: number): ReturnType<Store["renew"]> {
    const data = this.#partition(partition);
    const now = this.#clock.now();
    if (data.epoch === epoch) data.leaseUntil = now + leaseMs;
    return { ...headSince(data, epoch), now };
  }

  async release(partition: number, epoch: number): Promise<void> {
    const data = this.#partition(partition);
    if (data.epoch === epoch) data.leaseUntil = 0;
  }

  async load(partition: number, keys: readonly string[]): ReturnType<Store["load"]> {
    const { instances } = this.#partition(partition);
    return keys.map((key) => instances.get(key)?.stored);
  }

  async handled(
    partition: number,
    key: string,
    ids: readonly string[],
  ): ReturnType<Store["handled"]> {
    const inbox = this.#partition(partition).instances.get(key)?.inbox;
    return ids.filter((id) => inbox?.has(id));
  }

  async inbox(partition: number, key: string, query: InboxQuery): ReturnType<Store["inbox"]> {
    return inboxPage(this.#partition(partition).instances.get(key)?.inbox ?? new Map(), query);
  }

  async outbox(partition: number, afterSeq: number, limit: number): ReturnType<Store["outbox"]> {
    return [...this.#partition(partition).outbox]
      .filter(([seq]) => seq > afterSeq)
      .toSorted(([one], [other]) => one - other)
      .slice(0, limit)
      .map(([seq, entry]) => ({ seq, entry }));
  }

  async due(partition: number, limit: number): ReturnType<Store["due"]> {
    const now = this.#clock.now();
    const armed = [...this.#partition(partition).timers]
      .map(([id, due]) => ({ id, due }))
      .toSorted((one, other) => one.due - other.due || byText(one.id, other.id));
    const rows = armed.slice(0, limit).filter(({ due }) => due <= now);
    const next = armed[rows.length];
    return next === undefined ? { now, rows } : { now, rows, nextDue: next.due };
  }

  async postpone(partition: number, timerId: string, delayMs: number): Promise<boolean> {
    const { timers } = this.#partition(partition);
    if (!timers.has(timerId)) return false;
    timers.set(timerId, this.#clock.now() + delayMs);
    return true;
  }

  async commit(commit: Commit): Promise<CommitAnswer> {
    const data = this.#partition(commit.partition);
    const now = this.#clock.now();
    const answer = judge(commit, {
      now,
      head: headOf(data),
      lastAnswer: data.lastCommit?.answer,
      version: (key) => data.instances.get(key)?.stored.version ?? 0,
      remembers: (key, id) => data.instances.get(key)?.inbox.has(id) ?? false,
    });
    return answer ?? writeCommit(data, commit, now);
  }

  async history(
    partition: number,
    key: string,
    after: number,
    limit: number,
  ): ReturnType<Store["history"]> {
    const entries = this.#partition(partition).histories.get(key) ?? [];
    const from = Math.max(0, after);
    return entries
      .slice(from, from + limit)
      .map((entry, index) => ({ number: from + index + 1, entry }));
  }

  async list(query: ListQuery): ReturnType<Store["list"]> {
    return listInstances(this.#data.partitions, query);
  }

  async count(
    workflow: string,
    terms?: readonly string[],
  ): Promise<Readonly<Record<string, number>>> {
    return countTerms(this.#data.partitions, workflow, terms);
  }

  async deadLetters(query: {
    readonly limit: number;
    readonly cursor?: string;
  }): ReturnType<Store["deadLetters"]> {
    return listDeadLetters(this.#data.partitions, query);
  }

  async loadDeadLetters(
    partition: number,
    ids: readonly string[],
  ): ReturnType<Store["loadDeadLetters"]> {
    const { deadLetters } = this.#partition(partition);
    return ids.flatMap((id) => {
      const row = deadLetters.get(id);
      return row === undefined ? [] : [{ id, entry: row.entry }];
    });
  }

  async partitions(): ReturnType<Store["partitions"]> {
    const now = this.#clock.now();
    return this.#data.partitions.map((data, partition) => statusOf(data, partition, now));
  }

  /** Nothing is held. */
  async close(): Promise<void> {}

  #partition(partition: number): PartitionData {
    const data = this.#data.partitions[partition];
    if (data) return data;
    throw new WaybillError({
      code: "unknown-partition",
      message: `There is no partition ${partition}.`,
      action: "Open the store first, and name a partition below the number it was opened with.",
    });
  }
}
