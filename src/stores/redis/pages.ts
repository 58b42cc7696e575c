import type { DeadLetterRow, StoredInstance } from "../../commit.ts";
import type { ListQuery, Page, PartitionStatus } from "../../store.ts";
import { decodeCursor, pageOf } from "../cursor.ts";
import { oneWord, textOfWord } from "./commit-words.ts";
import type { RedisKeys } from "./keys.ts";
import type { RedisLink } from "./link.ts";
import { instanceIn, rowsIn, textsIn } from "./replies.ts";
import { scripts } from "./scripts.ts";

/** All partitions of an open store. */
export interface Partitions {
  readonly link: RedisLink;
  readonly keys: RedisKeys;
  readonly count: number;
}

/** Where an instance lies, and when it was created. */
interface Place {
  readonly partition: number;
  readonly at: number;
  readonly key: string;
}

type DeadLetterOfAll = DeadLetterRow & { readonly partition: number; readonly at: number };

/** Entries of an index that one call of `list.lua` looks at: some milliseconds in which Redis does nothing else. */
const scanned = 2_000;

/** See `Store.list`. Partitions name what they have, and only what is on the page is loaded. */
export async function listInstances(
  of: Partitions,
  query: ListQuery,
): Promise<Page<StoredInstance>> {
  const from = decodeCursor(query.cursor, [0, ""] as readonly [number, string]);
  const found = await Promise.all(
    numbers(of.count).map((partition) => findIn(of, partition, query, from)),
  );
  const sorted = found
    .flat()
    .toSorted((one, other) => other.at - one.at || byBytes(other.key, one.key));
  const { items, ...next } = pageOf(sorted, query.limit, ({ at, key }) => [at, key]);
  return { items: await loadPlaces(of, items), ...next };
}

/** The instances in these places, without those that have gone since. */
async function loadPlaces(of: Partitions, places: readonly Place[]): Promise<StoredInstance[]> {
  const byPartition = Map.groupBy(places, ({ partition }) => partition);
  const loading = [...byPartition].map(async ([partition, group]) => {
    const keys = group.map(({ key }) => key);
    const loaded = await loadInstances(of, partition, keys);
    return loaded.map((instance, index) => [group[index], instance] as const);
  });
  const instances = new Map((await Promise.all(loading)).flat());
  return places.flatMap((place) => instances.get(place) ?? []);
}

/** See `Store.load`. */
export async function loadInstances(
  { link, keys }: Partitions,
  partition: number,
  wanted: readonly string[],
): Promise<readonly (StoredInstance | undefined)[]> {
  if (wanted.length === 0) return [];
  const names = wanted.map((key) => keys.instance(partition, key));
  const found = (await link.callBytes("mget", names)) as readonly unknown[];
  return wanted.map((key, index) => instanceIn(key, found[index]));
}

/** See `Store.loadDeadLetters`. */
export async function loadDeadLetters(
  { link, keys }: Pick<Partitions, "link" | "keys">,
  partition: number,
  ids: readonly string[],
): Promise<readonly DeadLetterRow[]> {
  if (ids.length === 0) return [];
  const found = await link.call("hmget", [keys.letterEntries(partition), ...ids]);
  const entries = Array.isArray(found) ? (found as readonly unknown[]) : [];
  return ids.flatMap((id, index) => {
    const entry = entries[index];
    return typeof entry === "string" ? [{ id, entry }] : [];
  });
}

/** See `Store.count`. */
export async function countTerms(
  { link, keys, count }: Partitions,
  workflow: string,
  terms?: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  if (terms?.length === 0) return {};
  const total = new Map<string, number>();
  const args = [workflow, ...(terms ?? []).map(oneWord)];
  const asked = numbers(count).map((partition) =>
    link.run(scripts.count, keys.head(partition), args),
  );
  for (const reply of await Promise.all(asked)) {
    for (const [word = "", instances] of rowsIn(textsIn(reply, "count"), 2)) {
      const term = textOfWord(word);
      total.set(term, (total.get(term) ?? 0) + Number(instances));
    }
  }
  return Object.fromEntries([...total].filter(([, instances]) => instances > 0));
}

/** See `Store.partitions`. */
export function partitionStatuses({ link, keys, count }: Partitions): Promise<PartitionStatus[]> {
  const asked = numbers(count).map(async (partition) => {
    const reply = await link.run(scripts.status, keys.head(partition));
    const [now, epoch, owner, leaseUntil, outboxEntries, timers, nextDue, deadLetters] = textsIn(
      reply,
      "status",
    );
    return {
      partition,
      epoch: Number(epoch),
      owner: Number(leaseUntil) > Number(now) ? owner : undefined,
      leaseUntil: Number(leaseUntil),
      outboxEntries: Number(outboxEntries),
      timers: Number(timers),
      nextDue: nextDue === "" ? undefined : Number(nextDue),
      deadLetters: Number(deadLetters),
    };
  });
  return Promise.all(asked);
}

async function findIn(
  { link, keys }: Partitions,
  partition: number,
  query: ListQuery,
  from: readonly [number, string] | undefined,
): Promise<readonly Place[]> {
  const { workflow, terms, limit, updatedAfter } = query;
  const found: Place[] = [];
  let at = from === undefined ? "" : String(from[0]);
  let id = from === undefined ? "" : from[1].slice(workflow.length + 1);
  for (let isDone = false; !isDone; ) {
    const wanted = limit + 1 - found.length;
    const args = [workflow, at, id, updatedAfter ?? "", wanted, scanned, ...terms.map(oneWord)];
    const reply = textsIn(await link.run(scripts.list, keys.head(partition), args), "list");
    isDone = reply[0] !== "more";
    [, at = "", id = ""] = reply;
    for (const [createdAt, name] of rowsIn(reply.slice(3), 2)) {
      found.push({ partition, at: Number(createdAt), key: `${workflow}/${name}` });
    }
  }
  return found;
}

/** See `Store.deadLetters`. */
export async function listDeadLetters(
  { link, keys, count }: Partitions,
  query: { readonly limit: number; readonly cursor?: string },
): Promise<Page<DeadLetterOfAll>> {
  const shape = [0, 0, ""] as readonly [number, number, string];
  const from = decodeCursor(query.cursor, shape);
  const found = await Promise.all(
    numbers(count).map(async (partition) => {
      const args = [...lettersFrom(from, partition), query.limit + 1];
      const reply = await link.run(scripts.letters, keys.head(partition), args);
      return rowsIn(textsIn(reply, "letters"), 3).map(([id = "", at, entry = ""]) => ({
        id,
        entry,
        partition,
        at: Number(at),
      }));
    }),
  );
  const sorted = found
    .flat()
    .toSorted(
      (one, other) =>
        one.at - other.at || one.partition - other.partition || byBytes(one.id, other.id),
    );
  return pageOf(sorted, query.limit, ({ at, partition, id }) => [at, partition, id]);
}

/** Of the letters of the very time where the page before ended, what follows in this partition. */
function lettersFrom(
  from: readonly [number, number, string] | undefined,
  partition: number,
): readonly (string | number)[] {
  if (from === undefined) return ["", "all", ""];
  const [at, last, id] = from;
  if (partition < last) return [at, "none", ""];
  return partition > last ? [at, "all", ""] : [at, "after", id];
}

/** The partitions' numbers. */
function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, partition) => partition);
}

/** As Redis sorts members of the same score. */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
