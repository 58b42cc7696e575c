import { expect, test } from "vitest";
import { printOrderTree } from "../../jaeger/order-tree.ts";

test("The spans of one order are printed as a tree, from the request to the last service", async () => {
  const lines: string[] = [];
  expect(await printOrderTree((line) => lines.push(line))).toBe(true);
  const tree = lines.map((line) => line.replace(/^\s*[\d.]+\s+[\d.]+\s+/, ""));
  expect(tree).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^http +server +PUT \/workflows\/:workflow\/instances\/:id {2}200$/),
      expect.stringMatching(/^engine: stock +consumer +[└├│ ]+process stock.reserve$/),
      expect.stringMatching(/^engine: carrier +consumer +[└├│ ]+process carrier.book$/),
      expect.stringMatching(/^engine +consumer +[└├│ ]+process carrier.delivered {2}→ delivered/),
    ]),
  );
});
