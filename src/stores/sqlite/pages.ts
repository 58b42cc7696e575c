import type { DeadLetterRow, InboxEntry, InboxQuery, StoredInstance } from "../../commit.ts";
import { numberIn, type Row, type SqliteFile, textIn } from "../../sqlite-file.ts";
import type { ListQuery, Page, PartitionStatus } from "../../store.ts";
import { decodeCursor, encodeCursor, pageOf } from "../cursor.ts";
import { listAll, listByTerms, statements } from "./statements.ts";

/** Sorts after every text: no character is above it. */
const highestText = "\u{10FFFF}";

/**
 * See `Store.inbox`: by id, which is how they lie in the table. An index by time would be the shorter way to the old
 * ones, and would make each id that is written twice as dear (14 and 29 us a row in a trial).
 */
export function inboxPage(
  file: SqliteFile,
  { partition, key }: { readonly partition: number; readonly key: string },
  { before, limit, cursor }: InboxQuery,
): Page<InboxEntry> {
  const [last] = decodeCursor(cursor, [""] as readonly [string]) ?? [""];
  const rows = file.prepare(statements.inbox).all(partition, key, last, limit);
  const seen = rows.map((row) => ({ id: textIn(row["id"]), at: numberIn(row["at"]) }));
  const items = seen.filter(({ at }) => at < before);
  const end = seen.at(-1);
  if (end === undefined || seen.length < limit) return { items };
  return { items, nextCursor: encodeCursor([end.id]) };
}

/** See `Store.list`. */
export function listInstances(file: SqliteFile, query: ListQuery): Page<StoredInstance> {
  const newest = [Number.MAX_VALUE, highestText] as const;
  const [at, key] = decodeCursor(query.cursor, [0, ""] as readonly [number, string]) ?? newest;
  const [term, ...others] = query.terms;
  const after = query.updatedAfter ?? -Number.MAX_VALUE;
  const limit = query.limit + 1;
  const rows =
    term === undefined
      ? file.prepare(listAll).all(query.workflow, at, key, after, limit)
      : file
          .prepare(listByTerms(query.terms.length))
          .all(query.workflow, term, at, key, after, ...others, limit);
  return pageOf(rows.map(instanceOf), query.limit, (last) => [last.createdAt, last.key]);
}

/** See `Store.deadLetters`. */
export function listDeadLetters(
  file: SqliteFile,
  query: { readonly limit: number; readonly cursor?: string },
): Page<DeadLetterRow & { readonly partition: number; readonly at: number }> {
  const shape = [0, 0, ""] as readonly [number, number, string];
  const [at, partition, id] = decodeCursor(query.cursor, shape) ?? [-Number.MAX_VALUE, 0, ""];
  const rows = file.prepare(statements.deadLetters).all(at, partition, id, query.limit + 1);
  const items = rows.map((row) => ({
    id: textIn(row["id"]),
    entry: textIn(row["entry"]),
    partition: numberIn(row["partition"]),
    at: numberIn(row["at"]),
  }));
  return pageOf(items, query.limit, (last) => [last.at, last.partition, last.id]);
}

/** See `Store.partitions`. */
export function partitionStatuses(file: SqliteFile, now: number): PartitionStatus[] {
  return file
    .prepare(statements.status)
    .all()
    .map((row): PartitionStatus => {
      const leaseUntil = numberIn(row["lease_until"]);
      const nextDue = row["next_due"];
      return {
        partition: numberIn(row["partition"]),
        epoch: numberIn(row["epoch"]),
        owner: leaseUntil > now ? textIn(row["owner"]) : undefined,
        leaseUntil,
        outboxEntries: numberIn(row["outbox_entries"]),
        timers: numberIn(row["timers"]),
        nextDue: nextDue === null ? undefined : numberIn(nextDue),
        deadLetters: numberIn(row["dead_letters"]),
      };
    });
}

/** An instance from a row of `load`, `listAll` or `listByTerms`. */
export function instanceOf(row: Row): StoredInstance {
  return {
    key: textIn(row["key"]),
    version: numberIn(row["version"]),
    record: textIn(row["record"]),
    createdAt: numberIn(row["created_at"]),
    updatedAt: numberIn(row["updated_at"]),
  };
}
