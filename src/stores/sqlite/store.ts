import { type Commit, type CommitAnswer, claimsKept, type InboxQuery } from "../../commit.ts";
import type { Announced, Member } from "../../member.ts";
import { numberIn, type SqliteFile, textIn } from "../../sqlite-file.ts";
import type { Claim, Durability, ListQuery, Store } from "../../store.ts";
import { partitionCountError } from "../partition-count.ts";
import {
  inboxPage,
  instanceOf,
  listDeadLetters,
  listInstances,
  partitionStatuses,
} from "./pages.ts";
import { addBase, schema } from "./schema.ts";
import { statements } from "./statements.ts";
import { headSince, partitionRow, writeCommit } from "./write-commit.ts";

/**
 * A store in one SQLite file. The file belongs to this process alone, so the first `open()` since it was
 * opened ends all leases and forgets all members: their process is certainly gone.
 */
export class SqliteStore implements Store {
  readonly #file: SqliteFile;
  readonly #clock: { now(): number };
  #open = false;

  constructor(file: SqliteFile, options: { readonly clock: { now(): number } }) {
    this.#file = file;
    this.#clock = options.clock;
  }

  async open({ partitions }: { readonly partitions: number }): Promise<void> {
    if (this.#open) return;
    this.#file.open();
    this.#open = true;
    try {
      await this.#setUp(partitions);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  durability(): Durability {
    return "fsync";
  }

  async now(): Promise<number> {
    return this.#clock.now();
  }

  announce(member: Member, ttlMs: number): Promise<Announced> {
    return this.#file.write(() => {
      const now = this.#clock.now();
      const until = now + ttlMs;
      const known = this.#file.prepare(statements.aliveUntil).get(member.id);
      const before = known === undefined ? 0 : numberIn(known["alive_until"]);
      this.#file.prepare(statements.announce).run(member.id, member.workflows.join("\n"), until);
      const rows = this.#file.prepare(statements.living).all(now);
      const members = rows.map((row) => ({
        id: textIn(row["id"]),
        workflows: textIn(row["workflows"])
          .split("\n")
          .filter((name) => name !== ""),
      }));
      return { members, until, before };
    });
  }

  async leave(memberId: string): Promise<void> {
    await this.#file.write(() => this.#file.prepare(statements.leave).run(memberId));
  }

  claim(partition: number, owner: string, leaseMs: number, above = 0): Promise<Claim | undefined> {
    return this.#file.write(() => {
      const now = this.#clock.now();
      const row = partitionRow(this.#file, partition);
      if (numberIn(row["lease_until"]) > now && row["owner"] !== owner) return undefined;
      const head = headSince(this.#file, row, { partition, epoch: above });
      const epoch = Math.max(head.epoch, above) + 1;
      this.#file.prepare(statements.claim).run(epoch, owner, now + leaseMs, partition);
      this.#file.prepare(statements.addClaim).run(partition);
      this.#file.prepare(statements.trimClaims).run(partition, claimsKept);
      return { epoch, now, lastSeq: numberIn(row["last_seq"]), head };
    });
  }

  renew(partition: number, epoch: number, leaseMs: number): ReturnType<Store["renew"]> {
    return this.#file.write(() => {
      const now = this.#clock.now();
      this.#file.prepare(statements.renew).run(now + leaseMs, partition, epoch);
      const row = partitionRow(this.#file, partition);
      return { ...headSince(this.#file, row, { partition, epoch }), now };
    });
  }

  async release(partition: number, epoch: number): Promise<void> {
    await this.#file.write(() => this.#file.prepare(statements.release).run(partition, epoch));
  }

  async load(partition: number, keys: readonly string[]): ReturnType<Store["load"]> {
    const load = this.#file.prepare(statements.load);
    return keys.map((key) => {
      const row = load.get(partition, key);
      return row && instanceOf(row);
    });
  }

  async handled(
    partition: number,
    key: string,
    ids: readonly string[],
  ): ReturnType<Store["handled"]> {
    const statement = this.#file.prepare(statements.remembers);
    return ids.filter((id) => statement.get(partition, key, id) !== undefined);
  }

  async inbox(partition: number, key: string, query: InboxQuery): ReturnType<Store["inbox"]> {
    return inboxPage(this.#file, { partition, key }, query);
  }

  async outbox(partition: number, afterSeq: number, limit: number): ReturnType<Store["outbox"]> {
    const rows = this.#file.prepare(statements.outbox).all(partition, afterSeq, limit);
    return rows.map((row) => ({ seq: numberIn(row["seq"]), entry: textIn(row["entry"]) }));
  }

  async due(partition: number, limit: number): ReturnType<Store["due"]> {
    const now = this.#clock.now();
    const armed = this.#file
      .prepare(statements.armed)
      .all(partition, limit + 1)
      .map((row) => ({ id: textIn(row["id"]), due: numberIn(row["due"]) }));
    const rows = armed.slice(0, limit).filter(({ due }) => due <= now);
    const next = armed[rows.length];
    return next === undefined ? { now, rows } : { now, rows, nextDue: next.due };
  }

  postpone(partition: number, timerId: string, delayMs: number): Promise<boolean> {
    return this.#file.write(() => {
      const due = this.#clock.now() + delayMs;
      return this.#file.prepare(statements.postpone).run(due, partition, timerId).changes !== 0;
    });
  }

  commit(commit: Commit): Promise<CommitAnswer> {
    return this.#file.write(() => writeCommit(this.#file, commit, this.#clock.now()));
  }

  async history(
    partition: number,
    key: string,
    after: number,
    limit: number,
  ): ReturnType<Store["history"]> {
    const rows = this.#file.prepare(statements.history).all(partition, key, after, limit);
    return rows.map((row) => ({ number: numberIn(row["number"]), entry: textIn(row["entry"]) }));
  }

  async list(query: ListQuery): ReturnType<Store["list"]> {
    return listInstances(this.#file, query);
  }

  async count(
    workflow: string,
    terms?: readonly string[],
  ): Promise<Readonly<Record<string, number>>> {
    const rows =
      terms === undefined
        ? this.#file.prepare(statements.countTerms).all(workflow)
        : this.#file.prepare(statements.countTheseTerms).all(workflow, JSON.stringify(terms));
    return Object.fromEntries(
      rows.map((row) => [textIn(row["term"]), numberIn(row["instances"])] as const),
    );
  }

  async deadLetters(query: {
    readonly limit: number;
    readonly cursor?: string;
  }): ReturnType<Store["deadLetters"]> {
    return listDeadLetters(this.#file, query);
  }

  async loadDeadLetters(
    partition: number,
    ids: readonly string[],
  ): ReturnType<Store["loadDeadLetters"]> {
    const statement = this.#file.prepare(statements.deadLetter);
    return ids.flatMap((id) => {
      const row = statement.get(partition, id);
      return row === undefined ? [] : [{ id, entry: textIn(row["entry"]) }];
    });
  }

  async partitions(): ReturnType<Store["partitions"]> {
    return partitionStatuses(this.#file, this.#clock.now());
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
  }

  async #setUp(partitions: number): Promise<void> {
    await this.#file.write(() => this.#file.setUp("store", () => takeOver(this.#file)));
    await this.#file.write(() => fixPartitions(this.#file, partitions));
  }
}

function takeOver(file: SqliteFile): void {
  file.execute(schema);
  if (file.prepare(statements.hasBase).get() === undefined) file.execute(addBase);
  file.prepare(statements.endLeases).run();
  file.prepare(statements.forgetMembers).run();
}

function fixPartitions(file: SqliteFile, partitions: number): void {
  const stored = file.prepare(statements.setting).get("partitions");
  if (stored) {
    const count = Number(textIn(stored["value"]));
    if (count !== partitions) throw partitionCountError(count, partitions);
    return;
  }
  file.prepare(statements.setSetting).run("partitions", String(partitions));
  for (let partition = 0; partition < partitions; partition += 1) {
    file.prepare(statements.addPartition).run(partition);
  }
}
