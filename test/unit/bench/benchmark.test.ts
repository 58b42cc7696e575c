import { expect, test } from "vitest";
import { argumentsOf, commandOf, outcomeOf } from "../../../bench/benchmark.ts";

const ended = { code: 0, stdout: "", stderr: "" };

test("A benchmark is told its sizes, or the small ones, and what it is told at any size", () => {
  const timers = { bench: "timers", full: "--timers 100000", quick: "--timers 10000" };
  expect(argumentsOf(timers, false)).toEqual(["--timers", "100000"]);
  const orders = { bench: "orders", how: "--queued", quick: "--orders 500" };
  expect(commandOf(orders, false)).toBe("npm run bench:orders -- --queued");
  expect(commandOf(orders, true)).toBe("npm run bench:orders -- --queued --orders 500");
  expect(commandOf({ bench: "step", quick: "--events 1" }, false)).toBe("npm run bench:step");
});

test("Its result is the last line that it has printed", () => {
  const stdout = '{"bench":"other"}\n{"bench":"step"}\n\n';
  expect(outcomeOf({ ...ended, stdout })).toEqual({ kind: "measured", report: { bench: "step" } });
});

test("One that fails says why, as far as that is known", () => {
  const stderr = "Warming up\nTypeError [E]: no broker\n    at main\n\nNode.js v24.21.0\n";
  const failures = [
    outcomeOf({ ...ended, code: 1, stderr }),
    outcomeOf({ ...ended, code: 2, stderr: "Unknown option\n" }),
    outcomeOf({ ...ended, code: 3 }),
    outcomeOf({ ...ended, code: null }),
    outcomeOf({ ...ended, stdout: "step: one event\n" }),
  ];
  expect(failures).toEqual(
    [
      "TypeError [E]: no broker",
      "Unknown option",
      "it ended with 3",
      "a signal ended it",
      "its last line is no JSON",
    ].map((reason) => ({ kind: "failed", reason })),
  );
});
