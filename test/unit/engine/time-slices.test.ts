import { expect, it } from "vitest";
import type { Clock } from "../../../src/clock.ts";
import { TimeSlices } from "../../../src/engine/time-slices.ts";

/** A clock whose turns of the event loop are taken by hand. */
function turnedByHand() {
  let now = 0;
  let tasks: (() => void)[] = [];
  const clock = { monotonic: () => now, soon: (task: () => void) => tasks.push(task) };
  return {
    clock: clock as unknown as Clock,
    pass: (ms: number) => {
      now += ms;
    },
    turn: () => {
      const due = tasks;
      tasks = [];
      for (const task of due) task();
    },
  };
}

it("runs in one turn what fits into a slice, and the rest in the next ones, in order", () => {
  const { clock, pass, turn } = turnedByHand();
  const slices = new TimeSlices(clock);
  const ran: number[] = [];
  const task = (number: number) => () => {
    ran.push(number);
    pass(6);
    // What comes meanwhile waits behind those that were there.
    if (number === 1) slices.soon(task(5));
  };
  for (const number of [1, 2, 3, 4]) slices.soon(task(number));
  expect(ran).toEqual([]);
  turn();
  expect(ran).toEqual([1, 2]);
  turn();
  expect(ran).toEqual([1, 2, 3, 4]);
  turn();
  expect(ran).toEqual([1, 2, 3, 4, 5]);
  slices.soon(task(6));
  turn();
  expect(ran).toEqual([1, 2, 3, 4, 5, 6]);
});
