import type { Clock } from "../../src/clock.ts";
import type { SqliteFile } from "../../src/sqlite-file.ts";
import { MemoryBroker } from "../memory/broker.ts";
import { MemoryTransport } from "../memory/transport.ts";
import { SqliteJournal } from "./sqlite-journal.ts";

/** The broker of one process whose queues are rows of an SQLite file. */
export interface EmbeddedBroker {
  /** A new connection, not opened yet, that stamps messages with `user`. */
  connect(options: { readonly user: string }): MemoryTransport;
  /** Lets go of the file; its transports are to be closed before. Closing twice does no harm. */
  close(): Promise<void>;
}

/**
 * Opens the file and takes back what its queues held when the last process ended. Order is kept; messages that
 * were out at a consumer come again with one redelivery more; delayed ones wait for what is left of their
 * delay by the wall clock. Queues and bindings are kept too.
 * @throws WaybillError `store-in-use` when another process holds the file.
 */
export function openEmbeddedBroker(
  file: SqliteFile,
  { clock }: { readonly clock: Clock },
): EmbeddedBroker {
  file.open();
  let open = true;
  const broker = new MemoryBroker({ clock, journal: new SqliteJournal(file) });
  return {
    connect: ({ user }) => new MemoryTransport(broker, { user }),
    async close() {
      if (!open) return;
      open = false;
      broker.close();
      await file.close();
    },
  };
}
