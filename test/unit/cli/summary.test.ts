import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { Progress, takeCounts } from "../../../src/cli/progress.ts";
import { LiveSummary } from "../../../src/cli/summary.ts";
import { plainLine, summaryLines } from "../../../src/cli/summary-lines.ts";
import type { Clock } from "../../../src/clock.ts";
import { WaybillError } from "../../../src/errors.ts";

const counts = {
  "status:active": 30,
  "status:done": 50,
  "status:failed": 2,
  "state:paying": 20,
  "state:paying.capturing": 20,
  "state:shipping": 12,
  "state:delivered": 40,
  "state:refused": 10,
  "tag:attention": 1,
  "attribute:shipCountry=Peru": 82,
};

/** Time that stands still until a test moves it. */
function handClock() {
  const waiting: { readonly at: number; readonly task: () => void; cancelled: boolean }[] = [];
  const hand = { now: 0, tick };
  function tick(ms: number): void {
    hand.now += ms;
    for (const entry of waiting.splice(0)) {
      if (entry.cancelled) continue;
      if (entry.at <= hand.now) entry.task();
      else waiting.push(entry);
    }
  }
  const clock: Clock = {
    monotonic: () => hand.now,
    wall: () => hand.now,
    after(delayMs, task) {
      const entry = { at: hand.now + delayMs, task, cancelled: false };
      waiting.push(entry);
      return () => {
        entry.cancelled = true;
      };
    },
    soon: (task) => task(),
  };
  return { hand, clock };
}

function progressOf(clock: Clock, total = 100): Progress {
  const outcomes = ["delivered", "refused", "cancelled"];
  const progress = new Progress({ clock, workflow: "orders", outcomes, total });
  progress.take(counts);
  return progress;
}

class Screen extends Writable {
  readonly isTTY: boolean;
  columns = 80;
  text = "";

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

test("Counts are told apart: ended by final state, under way by top-level state, and what wants a person", () => {
  const { clock } = handClock();
  expect(progressOf(clock).facts()).toMatchObject({
    total: 100,
    ended: 50,
    ends: [
      { name: "delivered", count: 40 },
      { name: "refused", count: 10 },
      { name: "cancelled", count: 0 },
    ],
    underway: [
      { name: "paying", count: 20 },
      { name: "shipping", count: 12 },
    ],
    trouble: [
      { name: "failed", count: 2 },
      { name: "attention", count: 1 },
    ],
  });
  expect(progressOf(clock).open).toBe(32);
});

test("The rate is what ended over the last seconds", () => {
  const { clock, hand } = handClock();
  const progress = progressOf(clock);
  hand.tick(2_000);
  progress.take({ ...counts, "status:done": 70 });
  expect(progress.facts().perSecond).toBe(10);
  hand.tick(10_000);
  progress.take({ ...counts, "status:done": 70 });
  expect(progress.facts().perSecond).toBe(0);
});

test("A store that is away for a moment leaves the last counts standing", async () => {
  const { clock } = handClock();
  const progress = progressOf(clock);
  const away = { code: "unavailable", message: "away", action: "Wait.", retryable: true };
  const client = { workflow: () => Promise.reject(new WaybillError(away)) };
  await takeCounts({ client, clock, workflow: "orders", progress });
  expect(progress.ended).toBe(50);
});

test("The summary shows bar, share, rate and time, fits the width, and needs no colour", () => {
  const { clock, hand } = handClock();
  const progress = progressOf(clock);
  hand.tick(3_661_000);
  const lines = summaryLines(progress.facts(), { columns: 80, paint: (_, text) => text });
  expect(lines).toEqual([
    "orders  ██████████░░░░░░░░░░  50/100 50 %  0.0 orders/s  1:01:01",
    "  under way  paying 20 · shipping 12",
    "  ended      delivered 40 · refused 10 · cancelled 0",
    "  trouble    failed 2 · attention 1",
  ]);
  expect(plainLine(progress.facts())).toBe(
    "1:01:01 orders: 50/100 50 % ended; 0.0 orders/s; delivered 40, refused 10, cancelled 0; under way: paying 20, shipping 12; trouble: failed 2, attention 1",
  );
});

test("On a terminal the summary is redrawn in place five times a second", () => {
  const { clock, hand } = handClock();
  const terminal = new Screen(true);
  const progress = progressOf(clock);
  const summary = new LiveSummary({ facts: () => progress.facts(), terminal, clock });
  summary.start();
  for (let step = 0; step < 10; step += 1) hand.tick(100);
  expect(terminal.text.split("\u001B[4A\u001B[0J")).toHaveLength(6);
  summary.print("something happened");
  expect(stripVTControlCharacters(terminal.text)).toMatch(/something happened\norders .*\n/);
  summary.stop();
  const { text } = terminal;
  hand.tick(1_000);
  expect(terminal.text).toBe(text);
});

test.each([
  [0, /delivered 40 · refused 10 · cancelled 0\n/],
  [30, /  ended      delivered 40 · …\n/],
])(
  "On a terminal %i columns wide no line wraps, and an unknown width cuts nothing",
  (columns, line) => {
    const { clock } = handClock();
    const terminal = new Screen(true);
    terminal.columns = columns;
    const progress = progressOf(clock);
    const summary = new LiveSummary({ facts: () => progress.facts(), terminal, clock });
    summary.start();
    summary.stop();
    expect(stripVTControlCharacters(terminal.text)).toMatch(line);
  },
);

test("Elsewhere a plain line is written every three seconds, without control characters", () => {
  const { clock, hand } = handClock();
  const terminal = new Screen(false);
  const progress = progressOf(clock);
  const summary = new LiveSummary({ facts: () => progress.facts(), terminal, clock });
  summary.start();
  for (let step = 0; step < 60; step += 1) hand.tick(100);
  summary.stop();
  expect(terminal.text.trim().split("\n")).toHaveLength(4);
  expect(stripVTControlCharacters(terminal.text)).toBe(terminal.text);
});
