import type { InboxEntry, InboxQuery } from "../../commit.ts";
import type { Page } from "../../store.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { oneWord, textOfWord } from "./commit-words.ts";
import type { RedisLink } from "./link.ts";
import { rowsIn, textsIn } from "./replies.ts";
import { scripts } from "./scripts.ts";

/** A partition, by the connection to it and the key of its head. */
interface Place {
  readonly link: RedisLink;
  readonly head: string;
}

/** See `Store.handled`. */
export async function handled(
  { link, head }: Place,
  key: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  const reply = await link.run(scripts.handled, head, [key, ...ids.map(oneWord)]);
  const found = new Set(textsIn(reply, "handled"));
  return ids.filter((id) => found.has(oneWord(id)));
}

/** See `Store.inbox`: the oldest first, behind the id that the page before ended with while that is remembered. */
export async function inboxPage(
  { link, head }: Place,
  key: string,
  { before, limit, cursor }: InboxQuery,
): Promise<Page<InboxEntry>> {
  const last = decodeCursor(cursor, [""] as readonly [string]) ?? [];
  const reply = textsIn(await link.run(scripts.inbox, head, [key, limit, ...last]), "inbox");
  const items = rowsIn(reply, 2)
    .map(([id = "", at]) => ({ word: id, at: Number(at) }))
    .filter(({ at }) => at < before);
  const end = items.at(-1);
  const page = { items: items.map(({ word, at }) => ({ id: textOfWord(word), at })) };
  if (end === undefined || items.length < limit) return page;
  return { ...page, nextCursor: encodeCursor([end.word]) };
}
