import { expect, test } from "vitest";
import { helpOf, numbers, valuesOf } from "../../../bench/options.ts";

const options = {
  rounds: [3, "how many rounds"],
  only: ["all", "what is measured"],
  profile: ["", "a folder"],
  queued: [false, "through queues"],
} as const;

test("An option that is not given is as it was announced, and of its type otherwise", () => {
  const standard = { rounds: 3, only: "all", profile: "", queued: false, json: false };
  expect(valuesOf([], options)).toEqual(standard);
  const given = ["--rounds", "5", "--queued", "--only=one", "--json"];
  const read = { ...standard, rounds: 5, queued: true, only: "one", json: true };
  expect(valuesOf(given, options)).toEqual(read);
});

test("What is no option, or no number, is refused", () => {
  expect(() => valuesOf(["--round", "5"], options)).toThrow("--round");
  for (const text of ["many", "", "-1"]) {
    expect(() => valuesOf([`--rounds=${text}`], options)).toThrow("not a number");
  }
  expect(numbers("1,20")).toEqual([1, 20]);
  expect(() => numbers("1,,2")).toThrow("not a number");
});

test("The help names every option, what it means, and what it is when it is not given", () => {
  const help = helpOf({ name: "orders", measures: "Whole orders.", options });
  expect(help).toContain("npm run bench:orders -- [options]");
  expect(help).toContain("Whole orders.");
  for (const [name, [, means]] of Object.entries(options)) {
    expect(help).toMatch(new RegExp(`^ +--${name}\\b.* ${means}`, "m"));
  }
  expect(help).toContain("how many rounds (3)");
  expect(help).toMatch(/^ +--json /m);
});
