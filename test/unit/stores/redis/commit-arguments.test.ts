import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Commit, InstanceWrite } from "../../../../src/commit.ts";
import { commitArguments } from "../../../../src/stores/redis/commit-arguments.ts";
import { oneWord } from "../../../../src/stores/redis/commit-words.ts";
import { firstSeed, runs } from "../../../support/fuzz-budget.ts";

/** Arguments as Redis gets them, read as the script reads them. */
class Reader {
  readonly #words: readonly string[];
  #next = 0;

  constructor(commit: Commit) {
    const bytes = Buffer.from(commitArguments(commit).toString());
    const words: string[] = [];
    let at = bytes.indexOf("\r\n") + 2;
    const count = Number(bytes.toString("latin1", 1, at - 2));
    while (at < bytes.length) {
      const end = bytes.indexOf("\r\n", at);
      const length = Number(bytes.toString("latin1", at + 1, end));
      words.push(bytes.toString("utf8", end + 2, end + 2 + length));
      at = end + 4 + length;
    }
    if (at !== bytes.length || words.length !== count) throw new Error(`not RESP: ${words.length}`);
    this.#words = words;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#words.length;
  }

  word(): string {
    this.#next += 1;
    return this.#words[this.#next - 1] ?? "";
  }

  words(count: number | string): string[] {
    return Array.from({ length: Number(count) }, () => this.word());
  }

  /** A list behind its length, of so many words each. */
  list(width: number): string[][] {
    return Array.from({ length: Number(this.word()) }, () => this.words(width));
  }

  instance() {
    const [key, expected, version, record, counts = ""] = this.words(5);
    const numbers = counts.split(counts.includes(" ") ? " " : "");
    const [inbox, inboxForget, termsAdded, termsRemoved, history] = numbers.map((count) =>
      this.words(count),
    );
    return {
      key,
      expected,
      version,
      record,
      inbox,
      inboxForget,
      termsAdded,
      termsRemoved,
      history,
    };
  }

  /** What is done to the indexes, in no order but that ids go before they come. */
  indexes(): string[] {
    const changes = Array.from({ length: Number(this.word()) }, () => {
      const [name, removals = "", additions = ""] = this.words(3);
      const removed = this.words(removals).map((id) => `- ${name} ${id}`);
      const added = this.words(Number(additions) * 2);
      const pairs = Array.from({ length: Number(additions) }, (_, index) => {
        return `+ ${name} ${added[2 * index + 1]} of ${added[2 * index]}`;
      });
      return [...removed, ...pairs];
    });
    return changes.flat().toSorted();
  }
}

function indexesOf(instances: readonly InstanceWrite[]): string[] {
  const changes = instances.flatMap((write, index) => {
    const [workflow = "", id = ""] = write.key.split("/");
    const of = `${id} of ${index + 1}`;
    if (write.record === undefined)
      return write.expectedVersion > 0 ? [`- w:${workflow} ${id}`] : [];
    const created = write.expectedVersion === 0 ? [`+ w:${workflow} ${of}`] : [];
    const removed = [...new Set(write.termsRemoved)].map(
      (term) => `- t:${workflow}/${oneWord(term)} ${id}`,
    );
    const added = [...new Set(write.termsAdded)].map(
      (term) => `+ t:${workflow}/${oneWord(term)} ${of}`,
    );
    return [...created, ...removed, ...added];
  });
  return changes.toSorted();
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.constantFrom("", " ", "\n", "\\", "a b", "Grüße 运单 🚚", "x".repeat(1_500), "\r\n$3"),
);
const texts = (maxLength: number) => fc.array(text, { maxLength });
const seq = fc.nat({ max: 60 });
const instance: fc.Arbitrary<InstanceWrite> = fc.record({
  key: fc.tuple(fc.constantFrom("order", "Größe"), fc.uuid()).map((parts) => parts.join("/")),
  expectedVersion: fc.nat({ max: 3 }),
  version: fc.nat({ max: 5_000 }),
  record: fc.option(text, { nil: undefined }),
  inbox: fc.array(fc.record({ id: text, bornAt: fc.nat() }, { requiredKeys: ["id"] }), {
    maxLength: 12,
  }),
  inboxForget: texts(3),
  termsAdded: fc.array(fc.constantFrom("status:active", "a b", "ä"), { maxLength: 3 }),
  termsRemoved: fc.array(fc.constantFrom("status:done", "a b", "x\ny"), { maxLength: 3 }),
  history: texts(11),
});
const commits: fc.Arbitrary<Commit> = fc.record(
  {
    partition: fc.constant(0),
    epoch: fc.nat(),
    commitId: fc.uuid(),
    follows: fc.constantFrom("", "before"),
    inboxWindowMs: fc.nat(),
    instances: fc.array(instance, { maxLength: 6 }),
    outboxAdded: fc.array(fc.record({ seq, entry: text }), { maxLength: 6 }),
    outboxSettled: fc.array(seq, { maxLength: 20 }),
    timersArmed: fc.array(fc.record({ id: text, due: fc.nat() }), { maxLength: 3 }),
    timersDisarmed: texts(3),
    deadLettersAdded: fc.array(fc.record({ id: text, entry: text }), { maxLength: 3 }),
    deadLettersRemoved: texts(3),
  },
  { noNullPrototype: true },
);

const ids = (list: readonly string[]) => list.map((id) => `\n${oneWord(id)} `);
const terms = (list: readonly string[]) => [...new Set(list)].map((term) => `\n${oneWord(term)}`);

function expectInstance(reader: Reader, write: InstanceWrite): void {
  expect(reader.instance()).toEqual({
    key: write.key,
    expected: String(write.expectedVersion),
    version: write.record === undefined ? "" : String(write.version),
    record: write.record ?? "",
    inbox: ids(write.inbox.map(({ id }) => id)),
    inboxForget: ids(write.inboxForget),
    termsAdded: terms(write.termsAdded),
    termsRemoved: terms(write.termsRemoved),
    history: write.history,
  });
}

test("a commit reaches the script to the letter, whatever is in it", () => {
  const property = fc.property(commits, (commit) => {
    const reader = new Reader(commit);
    const births = commit.instances.flatMap(({ inbox }) =>
      inbox.flatMap(({ bornAt }) => bornAt ?? []),
    );
    const seqs = commit.outboxAdded.map((entry) => entry.seq);
    expect(reader.words(7)).toEqual([
      String(commit.epoch),
      commit.commitId,
      String(commit.inboxWindowMs),
      String(Math.max(0, ...seqs)),
      commit.follows,
      births.length > 0 ? String(Math.min(...births)) : "",
      String(commit.instances.length),
    ]);
    for (const write of commit.instances) expectInstance(reader, write);
    expect(reader.indexes()).toEqual(indexesOf(commit.instances));
    const runsOfSeqs = reader.list(2).map((run) => run.map(Number));
    const removed = runsOfSeqs.flatMap(([lowest = 0, highest = 0]) =>
      Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index),
    );
    const settled = [...new Set(commit.outboxSettled)].toSorted((one, other) => one - other);
    expect(removed).toEqual(settled);
    const added = commit.outboxAdded.toSorted((one, other) => one.seq - other.seq);
    expect(reader.list(2)).toEqual(
      added.map((one) => [String(one.seq), `${one.seq} ${one.entry}`]),
    );
    expect(reader.list(1).flat()).toEqual(commit.timersDisarmed);
    expect(reader.list(2)).toEqual(commit.timersArmed.map(({ id, due }) => [String(due), id]));
    expect(reader.list(1).flat()).toEqual(commit.deadLettersRemoved);
    expect(reader.list(2)).toEqual(commit.deadLettersAdded.map(({ id, entry }) => [id, entry]));
    expect(reader.isAtEnd).toBe(true);
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(300) });
});
