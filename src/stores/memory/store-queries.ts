import type { DeadLetterRow, InboxEntry, InboxQuery, StoredInstance } from "../../commit.ts";
import type { ListQuery, Page, PartitionStatus } from "../../store.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { InstanceRow, PartitionData } from "./store-data.ts";

type Partitions = readonly PartitionData[];
type DeadLetterOfAll = DeadLetterRow & { readonly partition: number; readonly at: number };

/** See `Store.inbox`: the oldest first, behind the id that the page before ended with while that is remembered. */
export function inboxPage(
  inbox: ReadonlyMap<string, number>,
  { before, limit, cursor }: InboxQuery,
): Page<InboxEntry> {
  const [last] = decodeCursor(cursor, [""] as readonly [string]) ?? [];
  const items: InboxEntry[] = [];
  let isBehind = last === undefined || !inbox.has(last);
  for (const [id, at] of inbox) {
    if (items.length === limit || at >= before) break;
    if (isBehind) items.push({ id, at });
    isBehind ||= id === last;
  }
  const end = items.at(-1);
  if (end === undefined || items.length < limit) return { items };
  return { items, nextCursor: encodeCursor([end.id]) };
}

/** See `Store.list`. */
export function listInstances(partitions: Partitions, query: ListQuery): Page<StoredInstance> {
  const after = decodeCursor(query.cursor, [0, ""] as readonly [number, string]);
  const found = rowsOf(partitions, query.workflow)
    .filter(({ stored, terms }) => {
      if (query.updatedAfter !== undefined && stored.updatedAt <= query.updatedAfter) return false;
      if (!query.terms.every((term) => terms.has(term))) return false;
      return after === undefined || newestFirst(stored, { createdAt: after[0], key: after[1] }) > 0;
    })
    .map(({ stored }) => stored)
    .toSorted(newestFirst);
  return pageOf(found, query.limit, ({ createdAt, key }) => [createdAt, key]);
}

/** See `Store.count`. */
export function countTerms(
  partitions: Partitions,
  workflow: string,
  asked?: readonly string[],
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { terms } of rowsOf(partitions, workflow)) {
    const counted = asked === undefined ? terms : asked.filter((term) => terms.has(term));
    for (const term of counted) counts[term] = (counts[term] ?? 0) + 1;
  }
  return counts;
}

/** See `Store.deadLetters`. */
export function listDeadLetters(
  partitions: Partitions,
  query: { readonly limit: number; readonly cursor?: string },
): Page<DeadLetterOfAll> {
  const after = decodeCursor(query.cursor, [0, 0, ""] as readonly [number, number, string]);
  const last = after && { at: after[0], partition: after[1], id: after[2], entry: "" };
  const found = partitions
    .flatMap(({ deadLetters }, partition) =>
      [...deadLetters].map(([id, { entry, at }]) => ({ id, entry, at, partition })),
    )
    .filter((row) => last === undefined || oldestFirst(row, last) > 0)
    .toSorted(oldestFirst);
  return pageOf(found, query.limit, ({ at, partition, id }) => [at, partition, id]);
}

/** See `Store.partitions`. */
export function statusOf(data: PartitionData, partition: number, now: number): PartitionStatus {
  const dues = [...data.timers.values()];
  return {
    partition,
    epoch: data.epoch,
    owner: data.leaseUntil > now ? data.owner : undefined,
    leaseUntil: data.leaseUntil,
    outboxEntries: data.outbox.size,
    timers: dues.length,
    nextDue: dues.length === 0 ? undefined : dues.reduce((one, other) => Math.min(one, other)),
    deadLetters: data.deadLetters.size,
  };
}

/** Sorts text by its code units, the same on every machine. */
export function byText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function rowsOf(partitions: Partitions, workflow: string): InstanceRow[] {
  return partitions
    .flatMap(({ instances }) => [...instances.values()])
    .filter(({ stored }) => stored.key.startsWith(`${workflow}/`));
}

function newestFirst(
  one: Pick<StoredInstance, "createdAt" | "key">,
  other: Pick<StoredInstance, "createdAt" | "key">,
): number {
  return other.createdAt - one.createdAt || byText(other.key, one.key);
}

function oldestFirst(one: DeadLetterOfAll, other: DeadLetterOfAll): number {
  return one.at - other.at || one.partition - other.partition || byText(one.id, other.id);
}

function pageOf<Item>(
  found: readonly Item[],
  limit: number,
  position: (item: Item) => readonly (string | number)[],
): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  if (last === undefined || found.length <= limit) return { items };
  return { items, nextCursor: encodeCursor(position(last)) };
}
