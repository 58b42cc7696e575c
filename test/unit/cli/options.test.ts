import { expect, test } from "vitest";
import { parseOptions } from "../../../src/cli/options.ts";

test("Without arguments orders are made up, and everything else is left to the environment", () => {
  expect(parseOptions([])).toEqual({
    kind: "run",
    options: { json: false, generate: true, services: true },
  });
});

test("A file of orders is run instead of made-up ones", () => {
  const args = ["--orders", "o.ndjson", "--products", "p.ndjson", "--json", "--port", "0"];
  expect(parseOptions(args)).toMatchObject({
    options: { orders: "o.ndjson", products: "p.ndjson", json: true, generate: false, port: 0 },
  });
  expect(parseOptions(["--no-generate"])).toMatchObject({ options: { generate: false } });
});

test("The services can be left to other processes", () => {
  expect(parseOptions(["--no-services"])).toMatchObject({ options: { services: false } });
});

test.each([
  ["0.001", { kind: "factor", factor: 0.001 }],
  ["20s", { kind: "longest", longestMs: 20_000 }],
  ["500ms", { kind: "longest", longestMs: 500 }],
])("Deadlines can be shortened by %s", (text, deadlines) => {
  expect(parseOptions(["--deadlines", text])).toMatchObject({ options: { deadlines } });
});

test.each([
  [["--deadlines", "soon"], /factor above 0/],
  [["--deadlines", "-1"], /factor above 0/],
  [["--deadlines", "0s"], /factor above 0/],
  [["--port", "70000"], /0 to 65535/],
  [["--port", "http"], /0 to 65535/],
  [["--order", "f"], /Did you mean --orders/],
  [["--orders"], /argument missing/],
  [["extra"], /too many arguments/],
  [["--json"], /--orders FILE/],
])("%j is wrong usage and says why", (args, reason) => {
  expect(parseOptions(args)).toEqual({
    kind: "exit",
    code: 2,
    text: expect.stringMatching(reason),
  });
});

test("Help names every option and is no error", () => {
  const help = parseOptions(["--help"]);
  expect(help).toMatchObject({ kind: "exit", code: 0 });
  for (const option of [
    "--orders",
    "--products",
    "--json",
    "--no-generate",
    "--no-services",
    "--deadlines",
    "--port",
  ]) {
    expect(help).toMatchObject({ text: expect.stringContaining(option) });
  }
});
