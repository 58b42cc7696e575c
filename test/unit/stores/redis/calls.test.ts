import { expect, test } from "vitest";
import { Calls } from "../../../../src/stores/redis/calls.ts";
import { HandClock } from "../../../support/hand-clock.ts";

interface Settled {
  readonly name: string;
  readonly at: number;
  readonly how: string;
}

/** Calls that may take 1000 ms, with what became of each and when. */
function timed() {
  const clock = new HandClock(0);
  const settled: Settled[] = [];
  const calls = new Calls({
    clock,
    deadlineMs: 1_000,
    late: () => new Error("late"),
    failure: (error) => new Error(`failed: ${String(error)}`),
  });
  const make = (name: string, sent: Promise<unknown>, isReady = true) => {
    const note = (how: unknown) => settled.push({ name, at: clock.monotonic(), how: String(how) });
    void calls.make(() => sent, isReady).then(note, ({ message }: Error) => note(message));
  };
  return { clock, calls, settled, make };
}

const never = new Promise<unknown>(() => undefined);

test("each call ends at its own time, though one timer watches over all", async () => {
  const { clock, make, settled } = timed();
  make("one", never);
  await clock.pass(300);
  make("two", never);
  make("three", Promise.resolve("answer"));
  await clock.turn();
  await clock.pass(300);
  make("four", never);
  make("five", never, false);
  expect(clock.pending).toBe(1);
  await clock.pass(5_000);
  expect(settled).toEqual([
    { name: "three", at: 300, how: "answer" },
    { name: "one", at: 1_000, how: "late" },
    { name: "two", at: 1_300, how: "late" },
    { name: "four", at: 1_600, how: "late" },
    { name: "five", at: 1_600, how: "late" },
  ]);
  expect(clock.pending).toBe(0);
});

test("calls that are made after all others have ended are watched anew", async () => {
  const { clock, make, settled } = timed();
  make("one", Promise.resolve("answer"));
  await clock.turn();
  await clock.pass(1_700);
  make("two", never);
  await clock.pass(1_000);
  expect(settled).toEqual([
    { name: "one", at: 0, how: "answer" },
    { name: "two", at: 2_700, how: "late" },
  ]);
});

test("an answer that comes after the end changes nothing", async () => {
  const { clock, make, settled } = timed();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  make("one", promise);
  await clock.pass(1_000);
  resolve("answer");
  await clock.turn();
  expect(settled).toEqual([{ name: "one", at: 1_000, how: "late" }]);
});

test("a broken connection fails what was sent, and the end fails all and leaves no timer", async () => {
  const { clock, calls, make, settled } = timed();
  make("sent", never);
  make("waiting", never, false);
  make("refused", Promise.reject(new Error("no")));
  calls.failSent(() => new Error("broken"));
  await clock.turn();
  calls.failAll(() => new Error("closed"));
  await clock.turn();
  const how = settled.map(({ name, how: why }) => `${name}: ${why}`);
  expect(how.toSorted()).toEqual(["refused: broken", "sent: broken", "waiting: closed"]);
  expect(clock.pending).toBe(0);
});

test("what waits is sent once, when the connection is there", async () => {
  const { calls, clock, settled } = timed();
  let sent = 0;
  const send = () => {
    sent += 1;
    return Promise.resolve("answer");
  };
  const made = calls.make(send, false);
  await clock.turn();
  expect(sent).toBe(0);
  calls.start();
  calls.start();
  expect(await made).toBe("answer");
  expect(sent).toBe(1);
  expect(settled).toEqual([]);
});
