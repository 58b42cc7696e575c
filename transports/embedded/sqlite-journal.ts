import type { Message } from "../../src/message.ts";
import { numberIn, type Row, type SqliteFile, textIn } from "../../src/sqlite-file.ts";
import type { Binding, Queue, Topology } from "../../src/transport.ts";
import type { Journal, JournalEntry } from "../memory/journal.ts";
import {
  appendEntry,
  declareBinding,
  declareQueue,
  handOutEntry,
  loadBindings,
  loadEntries,
  loadQueues,
  queueTable,
  removeEntry,
  topologyTable,
} from "./queue-table.ts";

/**
 * Keeps queues as rows of an SQLite file. What was appended survives the loss of power. Hand-outs and removals
 * survive the end of the process; after a loss of power the last of them may be undone, and a message that was
 * acknowledged just before comes again: this saves an fsync for each acknowledgement.
 */
export class SqliteJournal implements Journal {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
    file.setUp("queues", () => file.execute(topologyTable + queueTable));
  }

  topology(): Topology {
    const queues = this.#file.prepare(loadQueues).all();
    const bindings = this.#file.prepare(loadBindings).all();
    return {
      queues: queues.map((row) => ({ name: textIn(row["name"]), kind: kindOf(row) })),
      bindings: bindings.map((row) => ({
        queue: textIn(row["queue"]),
        exchange: exchangeOf(row),
        pattern: textIn(row["pattern"]),
      })),
    };
  }

  async declare({ queues, bindings }: Topology): Promise<void> {
    if (queues.length + bindings.length === 0) return;
    await this.#file.write(() => {
      const insertQueue = this.#file.prepare(declareQueue);
      for (const { name, kind } of queues) insertQueue.run(name, kind);
      const insertBinding = this.#file.prepare(declareBinding);
      for (const { queue, exchange, pattern } of bindings) {
        insertBinding.run(queue, exchange, pattern);
      }
    });
  }

  load(): readonly JournalEntry[] {
    return this.#file.prepare(loadEntries).all().map(entryOf);
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    return this.#file.write(() => {
      const append = this.#file.prepare(appendEntry);
      for (const { id, queue, message, dueAt } of entries) {
        const { body, ...properties } = message;
        append.run(id, queue, body, JSON.stringify(properties), dueAt ?? null);
      }
    });
  }

  handOut(ids: readonly number[]): void {
    this.#each(handOutEntry, ids);
  }

  remove(ids: readonly number[]): void {
    this.#each(removeEntry, ids);
  }

  #each(sql: string, ids: readonly number[]): void {
    const run = (): void => {
      const statement = this.#file.prepare(sql);
      for (const id of ids) statement.run(id);
    };
    // A row that could not be removed is delivered once more after the next start, which does no harm.
    this.#file.write(run, "kill").catch(() => undefined);
  }
}

function entryOf(row: Row): JournalEntry {
  const properties: Omit<Message, "body"> = JSON.parse(textIn(row["properties"]));
  const dueAt = row["due_at"];
  return {
    id: numberIn(row["id"]),
    queue: textIn(row["queue"]),
    message: { ...properties, body: textIn(row["body"]) },
    dueAt: dueAt === null ? undefined : numberIn(dueAt),
    handedOut: numberIn(row["handed_out"]),
  };
}

// These rows were written from values of these types, by this file alone.
function kindOf(row: Row): Queue["kind"] {
  return textIn(row["kind"]) as Queue["kind"];
}

function exchangeOf(row: Row): Binding["exchange"] {
  return textIn(row["exchange"]) as Binding["exchange"];
}
