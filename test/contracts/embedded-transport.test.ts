import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";
import { openEmbeddedBroker } from "../../transports/embedded/broker.ts";
import { connectionsTo } from "./memory-connections.ts";
import { transportContract } from "./transport-contract.ts";

describe("the embedded transport", () => {
  transportContract(async () => {
    const folder = mkdtempSync(join(tmpdir(), "waybill-"));
    const file = new SqliteFile(join(folder, "queues.db"), { clock: systemClock });
    const broker = openEmbeddedBroker(file, { clock: systemClock });
    return connectionsTo(
      (options) => broker.connect(options),
      async () => {
        await broker.close();
        rmSync(folder, { recursive: true });
      },
    );
  });
});
