import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";
import { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { storeContract } from "./store-contract.ts";
import type { StoreLab } from "./store-lab.ts";

const start = 1_763_800_000_000;

/** A file of its own with a clock of its own; `connect` opens the same file each time. */
async function sqliteLab(): Promise<StoreLab & { readonly path: string }> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-"));
  const path = join(folder, "store.db");
  const file = new SqliteFile(path, { clock: systemClock });
  const made: SqliteStore[] = [];
  let now = start;
  return {
    path,
    connect() {
      const store = new SqliteStore(file, { clock: { now: () => now } });
      made.push(store);
      return store;
    },
    async advance(ms) {
      now += ms;
    },
    async dispose() {
      for (const store of made) await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

describe("the SQLite store", () => {
  storeContract(sqliteLab);

  test("survives the loss of power", async () => {
    const lab = await sqliteLab();
    expect(lab.connect().durability()).toBe("fsync");
    await lab.dispose();
  });

  test("refuses a file that is in use", async () => {
    const lab = await sqliteLab();
    await lab.connect().open({ partitions: 2 });
    const file = new SqliteFile(lab.path, { clock: systemClock });
    const second = new SqliteStore(file, { clock: { now: () => start } });
    await expect(second.open({ partitions: 2 })).rejects.toMatchObject({ code: "store-in-use" });
    await lab.dispose();
  });

  test("ends the leases and forgets the members of the process before", async () => {
    const lab = await sqliteLab();
    const before = lab.connect();
    await before.open({ partitions: 2 });
    await before.claim(1, "gone", 60_000);
    await before.announce({ id: "gone", workflows: [] }, 60_000);
    await before.close();
    const after = lab.connect();
    await after.open({ partitions: 2 });
    expect(await after.claim(1, "here", 60_000)).toMatchObject({ epoch: 2 });
    const here = { id: "here", workflows: [] };
    expect((await after.announce(here, 60_000)).members).toEqual([here]);
    await lab.dispose();
  });

  test("opens a file of before partitions knew where their epoch began", async () => {
    const lab = await sqliteLab();
    const before = lab.connect();
    await before.open({ partitions: 2 });
    await before.close();
    const file = new SqliteFile(lab.path, { clock: systemClock });
    file.open();
    file.execute("ALTER TABLE partitions DROP COLUMN base");
    await file.close();
    const after = lab.connect();
    await after.open({ partitions: 2 });
    const head = { epoch: 0, sequence: 0, commitId: "", base: 0 };
    expect(await after.claim(1, "here", 60_000)).toMatchObject({ head });
    await lab.dispose();
  });

  test("leaves alone the leases of another store on the same open file", async () => {
    const lab = await sqliteLab();
    const one = lab.connect();
    const other = lab.connect();
    await one.open({ partitions: 2 });
    await one.claim(1, "one", 60_000);
    await other.open({ partitions: 2 });
    expect(await other.claim(1, "other", 60_000)).toBeUndefined();
    await lab.dispose();
  });
});
