import type { UnfitArrival } from "./arrival.ts";
import { within } from "./deadline.ts";
import type { EnginePorts } from "./ports.ts";
import { readOutboxEntry } from "./stored-text.ts";
import type { OutboxContent } from "./wire.ts";

/** An outbox entry that the last owner of a partition has left. */
export interface Left {
  readonly seq: number;
  readonly content: OutboxContent | UnfitArrival;
}

const pageEntries = 1_000;

/** Everything in the outbox of a partition, in order. */
export async function leftBehind(
  { store, clock, limits }: EnginePorts,
  partition: number,
): Promise<readonly Left[]> {
  const left: Left[] = [];
  for (;;) {
    const asked = store.outbox(partition, left.at(-1)?.seq ?? 0, pageEntries);
    const page = await within(clock, limits.storeDeadlineMs, asked, "The store");
    if (page.length === 0) return left;
    left.push(...page.map(({ seq, entry }) => ({ seq, content: readOutboxEntry(seq, entry) })));
  }
}
