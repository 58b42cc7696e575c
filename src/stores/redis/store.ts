import type { Clock } from "../../clock.ts";
import type { Commit, CommitAnswer, InboxQuery } from "../../commit.ts";
import type { Ids } from "../../ids.ts";
import type { Announced, Member } from "../../member.ts";
import type { Claim, Durability, ListQuery, Store } from "../../store.ts";
import { partitionCountError } from "../partition-count.ts";
import { parseRedisUrl, type RedisAddress, callDeadlineMs as usualDeadlineMs } from "./address.ts";
import { commitArguments } from "./commit-arguments.ts";
import { addsNothing, commitAnswer, headIn, outboxEntry } from "./commit-words.ts";
import { createClient, pauseMs } from "./connect.ts";
import { storeClosed, TooFewReplicas, unknownPartition } from "./failures.ts";
import { handled, inboxPage } from "./inbox.ts";
import { Inspector } from "./inspector.ts";
import { type RedisKeys, redisKeys } from "./keys.ts";
import { RedisLink } from "./link.ts";
import {
  countTerms,
  listDeadLetters,
  listInstances,
  loadDeadLetters,
  loadInstances,
  type Partitions,
  partitionStatuses,
} from "./pages.ts";
import { gateOf, type ReplicaGate } from "./replica-gate.ts";
import { rowsIn, textsIn } from "./replies.ts";
import { scripts } from "./scripts.ts";
import { WireText } from "./wire-text.ts";
import { Writers } from "./writers.ts";

interface Opened extends Partitions {
  readonly writers: Writers;
}

export interface RedisStoreOptions {
  /** See `parseRedisUrl`. */
  readonly url: string;
  /** First part of every key. */
  readonly prefix: string;
  readonly clock: Pick<Clock, "after" | "monotonic">;
  readonly ids: Ids;
  /** How long a call may take, connecting included; the outcome of one that took longer is unknown. */
  readonly callDeadlineMs?: number;
}

/**
 * A store in Redis 7 or newer: one server, Sentinel or Cluster. Any number of processes share it. The clock is
 * that of the server, on a cluster that of the partition's node.
 */
export class RedisStore implements Store {
  readonly #address: RedisAddress;
  readonly #gate: ReplicaGate;
  readonly #inspector: Inspector;
  readonly #keys: RedisKeys;
  readonly #options: RedisStoreOptions;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  /** @throws WaybillError `invalid-configuration` when the URL is not understood. */
  constructor(options: RedisStoreOptions) {
    this.#address = parseRedisUrl(options.url);
    this.#gate = gateOf(this.#address);
    this.#keys = redisKeys(options.prefix);
    this.#options = options;
    this.#inspector = new Inspector(this.#gate);
  }

  /** @throws WaybillError `partition-count`, `store-unavailable`, `store-unauthorized`, `store-unsupported` */
  async open({ partitions }: { readonly partitions: number }): Promise<void> {
    this.#opening ??= this.#connect(partitions);
    try {
      this.#opened = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
    const { count } = this.#opened;
    if (count !== partitions) throw partitionCountError(count, partitions);
  }

  durability(): Durability {
    return this.#inspector.found.durability;
  }

  /** What an operator should change about the server, one sentence each. */
  warnings(): readonly string[] {
    return this.#inspector.found.warnings;
  }

  async now(): Promise<number> {
    return Number(await this.#all().link.run(scripts.clock, this.#keys.meta));
  }

  async announce(member: Member, ttlMs: number): Promise<Announced> {
    const args = [member.id, ttlMs, member.workflows.join("\n")];
    const reply = await this.#all().link.run(scripts.announce, this.#keys.members, args);
    const [until, before, ...living] = textsIn(reply, "members");
    const members = rowsIn(living, 2)
      .map(([id = "", workflows = ""]) => ({
        id,
        workflows: workflows.split("\n").filter((name) => name !== ""),
      }))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1));
    return { members, until: Number(until), before: Number(before) };
  }

  async leave(memberId: string): Promise<void> {
    await this.#all().link.call("hdel", [this.#keys.members, memberId]);
  }

  async claim(
    partition: number,
    owner: string,
    leaseMs: number,
    above = 0,
  ): Promise<Claim | undefined> {
    const { link, head } = this.#in(partition);
    const reply = await link.run(scripts.claim, head, [owner, leaseMs, above]);
    if (reply === null) return undefined;
    const [epoch, now, lastSeq, ...found] = textsIn(reply, "claim");
    return {
      epoch: Number(epoch),
      now: Number(now),
      lastSeq: Number(lastSeq),
      head: headIn(found),
    };
  }

  async renew(partition: number, epoch: number, leaseMs: number): ReturnType<Store["renew"]> {
    const { link, head } = this.#in(partition);
    const reply = await link.run(scripts.renew, head, [epoch, leaseMs]);
    const [now, ...found] = textsIn(reply, "renew");
    return { ...headIn(found), now: Number(now) };
  }

  async release(partition: number, epoch: number): Promise<void> {
    const { link, head } = this.#in(partition);
    await link.run(scripts.renew, head, [epoch, 0]);
  }

  async load(partition: number, keys: readonly string[]): ReturnType<Store["load"]> {
    return loadInstances(this.#in(partition), partition, keys);
  }

  async handled(
    partition: number,
    key: string,
    ids: readonly string[],
  ): ReturnType<Store["handled"]> {
    return handled(this.#in(partition), key, ids);
  }

  async inbox(partition: number, key: string, query: InboxQuery): ReturnType<Store["inbox"]> {
    return inboxPage(this.#in(partition), key, query);
  }

  async outbox(partition: number, afterSeq: number, limit: number): ReturnType<Store["outbox"]> {
    const { link, keys } = this.#in(partition);
    const range = [keys.outbox(partition), `(${afterSeq}`, "+inf"];
    const reply = await link.call("zrangebyscore", [...range, "withscores", "limit", 0, limit]);
    return rowsIn(textsIn(reply, "outbox"), 2).map(([member = "", seq]) => ({
      seq: Number(seq),
      entry: outboxEntry(member),
    }));
  }

  async due(partition: number, limit: number): ReturnType<Store["due"]> {
    const { link, head } = this.#in(partition);
    const reply = await link.run(scripts.due, head, [limit]);
    const [now, next, ...flat] = textsIn(reply, "due");
    const rows = rowsIn(flat, 2).map(([id = "", due]) => ({ id, due: Number(due) }));
    return { now: Number(now), rows, ...(next !== "" && { nextDue: Number(next) }) };
  }

  async postpone(partition: number, timerId: string, delayMs: number): Promise<boolean> {
    const { link, head } = this.#in(partition);
    return (await link.run(scripts.postpone, head, [timerId, delayMs])) === 1;
  }

  async commit(commit: Commit): Promise<CommitAnswer> {
    const { link, writers, head } = this.#in(commit.partition);
    const script = addsNothing(commit) ? scripts.settle : scripts.commit;
    const writer = writers.of(commit.partition);
    try {
      const reply = await writer.runGated(script, head, commitArguments(commit), this.#gate);
      this.#inspector.wrote(link);
      return commitAnswer(commit, reply);
    } catch (error) {
      this.#inspector.failed(error);
      throw error;
    }
  }

  async history(
    partition: number,
    key: string,
    after: number,
    limit: number,
  ): ReturnType<Store["history"]> {
    const { link, head } = this.#in(partition);
    if (limit <= 0) return [];
    const reply = await link.run(scripts.history, head, [key, after, after + limit - 1]);
    const entries = textsIn(reply, "history");
    return entries.map((entry, index) => ({ number: after + index + 1, entry }));
  }

  async list(query: ListQuery): ReturnType<Store["list"]> {
    return listInstances(this.#all(), query);
  }

  async count(
    workflow: string,
    terms?: readonly string[],
  ): Promise<Readonly<Record<string, number>>> {
    return countTerms(this.#all(), workflow, terms);
  }

  async deadLetters(query: {
    readonly limit: number;
    readonly cursor?: string;
  }): ReturnType<Store["deadLetters"]> {
    return listDeadLetters(this.#all(), query);
  }

  async loadDeadLetters(
    partition: number,
    ids: readonly string[],
  ): ReturnType<Store["loadDeadLetters"]> {
    return loadDeadLetters(this.#in(partition), partition, ids);
  }

  async partitions(): ReturnType<Store["partitions"]> {
    return partitionStatuses(this.#all());
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#opened = undefined;
    const opened = await opening?.catch(() => undefined);
    opened?.link.close();
    opened?.writers.close();
  }

  async #connect(partitions: number): Promise<Opened> {
    const link: RedisLink = this.#link(() => void this.#inspector.again(link));
    try {
      await this.#inspector.begin(link);
      const count = await this.#fixed(link, partitions);
      if (count !== partitions) throw partitionCountError(count, partitions);
      // What waits for replicas keeps what is behind it on its connection waiting: with one for each of 32 partitions,
      // two to three times as many commits went through as with four.
      const connections = this.#gate.replicas > 0 ? count : undefined;
      const writers = new Writers(() => this.#link(), connections);
      return { link, writers, keys: this.#keys, count };
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** Fixes the number of partitions, and tells it. Replicas that lack it keep nobody from opening: they may still come. */
  async #fixed(link: RedisLink, partitions: number): Promise<number> {
    const count = Number(await link.run(scripts.open, this.#keys.meta, [partitions]));
    if (!this.#gate.fsync || this.#inspector.found.lacksReplicas) return count;
    try {
      await link.runGated(scripts.open, this.#keys.meta, WireText.of([partitions]), this.#gate);
      this.#inspector.wrote(link);
    } catch (error) {
      this.#inspector.failed(error);
      if (!(error instanceof TooFewReplicas)) throw error;
    }
    return count;
  }

  #link(onReconnect: () => void = () => undefined): RedisLink {
    const { clock, ids, callDeadlineMs = usualDeadlineMs } = this.#options;
    return new RedisLink({
      client: () => createClient(this.#address, { ids, silenceMs: callDeadlineMs }),
      pauseMs: (attempt) => pauseMs(attempt, ids),
      onReconnect,
      clock,
      callDeadlineMs,
      shown: this.#address.shown,
    });
  }

  #all(): Opened {
    if (this.#opened) return this.#opened;
    throw storeClosed();
  }

  #in(partition: number): Opened & { readonly head: string } {
    const opened = this.#all();
    if (!Number.isInteger(partition) || partition < 0 || partition >= opened.count) {
      throw unknownPartition(partition);
    }
    return { ...opened, head: opened.keys.head(partition) };
  }
}
