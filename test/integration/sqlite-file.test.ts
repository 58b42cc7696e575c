import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";

let folder: string;
let file: SqliteFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-"));
  file = new SqliteFile(join(folder, "file.db"), { clock: systemClock });
  file.open();
  file.execute("CREATE TABLE things (name TEXT PRIMARY KEY)");
});
afterEach(async () => {
  await file.close();
  rmSync(folder, { recursive: true });
});

function insert(name: string): void {
  file.prepare("INSERT INTO things (name) VALUES (?)").run(name);
}

function names(): unknown[] {
  return file
    .prepare("SELECT name FROM things ORDER BY name")
    .all()
    .map((row) => row["name"]);
}

describe("writing to an SQLite file", () => {
  test("waits for the end of the turn and gives each write its own result", async () => {
    const results = Promise.all(["a", "b"].map((name) => file.write(() => (insert(name), name))));
    expect(names()).toEqual([]);
    expect(await results).toEqual(["a", "b"]);
    expect(names()).toEqual(["a", "b"]);
  });

  test("shares one transaction between all writes of a turn", async () => {
    const transactions: boolean[] = [];
    const first = file.write(() => insert("a"));
    const second = file.write(() => transactions.push(names().includes("a")));
    await first;
    await second;
    expect(transactions).toEqual([true]);
  });

  test("undoes a write that throws, and it alone", async () => {
    const outcomes = await Promise.allSettled([
      file.write(() => insert("a")),
      file.write(() => {
        insert("b");
        throw new Error("thought better of it");
      }),
      file.write(() => insert("c")),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { message: "thought better of it" } });
    expect(names()).toEqual(["a", "c"]);
  });

  test("rejects the whole turn with a retryable error when it cannot be committed, and goes on", async () => {
    file.execute("CREATE TABLE children (of TEXT REFERENCES things DEFERRABLE INITIALLY DEFERRED)");
    const orphan = (): unknown =>
      file.prepare("INSERT INTO children VALUES ('nobody')").run().changes;
    const outcomes = await Promise.allSettled([
      file.write(() => insert("a")),
      file.write(orphan),
      file.write(() => insert("b")),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: "store-unavailable", retryable: true } });
    }
    expect(names()).toEqual([]);
    await file.write(() => insert("c"));
    expect(names()).toEqual(["c"]);
  });

  test("rejects with a retryable error when the disk is full, writes nothing, and goes on", async () => {
    file.execute("PRAGMA max_page_count = 8");
    const outcomes = await Promise.allSettled([
      file.write(() => insert("a")),
      file.write(() => insert("x".repeat(1_000_000))),
      file.write(() => insert("b")),
    ]);
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ reason: { code: "store-unavailable", retryable: true } });
    }
    const kept = ["a", "b"].filter((_, index) => outcomes[index * 2]?.status === "fulfilled");
    expect(names()).toEqual(kept);
    file.execute("PRAGMA max_page_count = 1000000");
    await file.write(() => insert("c"));
    expect(names()).toEqual([...kept, "c"]);
  });

  test("syncs to the disk unless all writes of the turn need only outlive the process", async () => {
    const synchronous = (): unknown => file.prepare("PRAGMA synchronous").get()?.["synchronous"];
    await file.write(() => insert("a"), "kill");
    expect(synchronous()).toBe(1);
    await Promise.all([
      file.write(() => insert("b"), "kill"),
      file.write(() => insert("c")),
      file.write(() => insert("d"), "kill"),
    ]);
    expect(synchronous()).toBe(2);
  });
});

describe("an SQLite file", () => {
  test("is refused at once while another holds it", async () => {
    const other = new SqliteFile(file.path, { clock: systemClock });
    const refusal = { code: "store-in-use", action: expect.stringContaining("another file") };
    expect(() => other.open()).toThrow(expect.objectContaining(refusal));
    await file.close();
    other.open();
    await other.close();
    file.open();
  });

  test("stays open until its last user closes it, and then has written all that was pending", async () => {
    file.open();
    const pending = file.write(() => insert("a"));
    await file.close();
    await pending;
    expect(names()).toEqual(["a"]);
    const last = file.write(() => insert("b"));
    await file.close();
    await last;
    expect(() => names()).toThrow(expect.objectContaining({ code: "store-closed" }));
    await file.close();
    file.open();
    expect(names()).toEqual(["a", "b"]);
  });

  test("is set up once by each name until it is closed", async () => {
    let times = 0;
    const count = (): void => {
      times += 1;
    };
    file.setUp("one", count);
    file.setUp("one", count);
    file.setUp("other", count);
    expect(times).toBe(2);
    await file.close();
    file.open();
    file.setUp("one", count);
    expect(times).toBe(3);
  });

  test("says what is wrong when it cannot be opened", () => {
    const broken = join(folder, "broken.db");
    writeFileSync(broken, "this is no database, however long one looks at it ".repeat(100));
    mkdirSync(join(folder, "folder.db"));
    for (const path of [broken, join(folder, "folder.db"), join(folder, "missing", "a.db")]) {
      const unreadable = new SqliteFile(path, { clock: systemClock });
      expect(() => unreadable.open()).toThrow(
        expect.objectContaining({ code: "store-unreadable" }),
      );
    }
  });
});
