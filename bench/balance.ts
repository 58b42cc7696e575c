import { uuidV7 } from "../src/ids.ts";
import { partitionOf } from "../src/routing.ts";
import { Seeded } from "../test/support/seeded.ts";
import { cpuBetween, readCpu } from "./cpu.ts";
import { readOptions } from "./options.ts";
import { moveLargest, movesToLevel, placedByHash, split } from "./placement.ts";
import { deliver, type Figures, othersBusy, progress, rounded } from "./report.ts";
import { loadsBy, loadsOfMasters, loadsOfProcesses, maxOverMean, withHot, zipf } from "./spread.ts";

/** How evenly load spreads, computed and not measured: the busiest cell, partition, process and master over the mean. */
const { json, worst, ...sizes } = readOptions({
  name: "balance",
  measures: "How evenly load spreads over cells, partitions, processes and masters; computed.",
  options: {
    instances: [100_000, "instances in one cell"],
    tenants: [10_000, "tenants over all cells"],
    cells: [100, "cells"],
    trials: [20, "trials, each from a seed of its own"],
    seed: [1, "the seed of the first trial"],
    worst: [false, "show the worst trial instead of the mean"],
  },
});
const settings = { ...sizes, shown: worst ? "worst trial" : "mean of trials" };
const exponents = [0, 0.8, 1.1];
const hotShares = [0.01, 0.05];
/** Of the mean load of a cell: what the directory lets one cell have of a tenant that is divided. */
const largestPart = 0.25;
const level = 1.2;

type Row = Readonly<Record<string, number>>;
type Shares = Readonly<Record<string, readonly number[]>>;

/** The same things, some of them by Zipf's law, some with one that is hot. */
function sharesOf(count: number, things: string, hot: string): Shares {
  const even = zipf(count, 0);
  return Object.fromEntries([
    ...exponents.map((exponent) => [`${things}, Zipf ${exponent}`, zipf(count, exponent)] as const),
    ...hotShares.map((share) => [`${hot} ${share * 100} %`, withHot(even, share)] as const),
  ]);
}

function named(seeded: Seeded): string {
  return seeded.below(2 ** 32).toString(16);
}

function processIds(seeded: Seeded, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    uuidV7(1_800_000_000_000 + index * 977, Buffer.from(named(seeded).padStart(10, "0"))),
  );
}

function insideOneCell(seeded: Seeded, instances: Shares): Readonly<Record<string, Row>> {
  const tenant = named(seeded);
  const prefix = `cell-${seeded.below(settings.cells)}`;
  const rows: Record<string, Row> = {};
  for (const partitions of [8, 16, 32, 128]) {
    const partitionOfInstance = Array.from({ length: settings.instances + 1 }, (_, index) =>
      partitionOf(`order/${tenant}-${String(index).padStart(6, "0")}`, partitions),
    );
    const groups = [2, 4, 8].map((count) => processIds(seeded, count));
    for (const [name, shares] of Object.entries(instances)) {
      const loads = loadsBy(shares, partitions, (index) => partitionOfInstance[index] ?? 0);
      const row: Record<string, number> = { partition: maxOverMean(loads) };
      for (const ids of groups) {
        row[`${ids.length} processes`] = maxOverMean(loadsOfProcesses(loads, ids));
      }
      for (const masters of [3, 6]) {
        row[`${masters} masters`] = maxOverMean(loadsOfMasters(loads, prefix, masters));
      }
      rows[`${partitions} partitions, ${name}`] = row;
    }
  }
  return rows;
}

function overCells(seeded: Seeded, tenants: Shares): Readonly<Record<string, Row>> {
  const { cells } = settings;
  const part = largestPart / cells;
  const rows: Record<string, Row> = {};
  for (const [name, shares] of Object.entries(tenants)) {
    const whole = shares.map((share) => ({ name: named(seeded), share }));
    for (const isSplit of [false, true]) {
      const placement = placedByHash(isSplit ? split(whole, part) : whole, cells);
      const moved = [10, 100, 1_000].map((count) => [
        `${count} moved`,
        maxOverMean(moveLargest(placement, count).loads),
      ]);
      rows[`${name}${isSplit ? ", divided" : ""}`] = {
        cell: maxOverMean(placement.loads),
        ...Object.fromEntries(moved),
        [`moves to ${level}`]: movesToLevel(placement, level),
        "largest tenant": Math.max(...shares) * cells,
        ...(isSplit && { divided: shares.filter((share) => share > part).length }),
      };
    }
  }
  return rows;
}

/** One row from those of all trials; what one trial cannot reach has no figure. */
function together(rows: readonly Row[]): Figures {
  const columns = Object.keys(rows[0] ?? {}).map((column) => {
    const values = rows.map((row) => row[column] ?? Number.NaN);
    const mean = values.reduce((total, value) => total + value, 0) / values.length;
    const shown = worst ? Math.max(...values) : mean;
    return [column, Number.isNaN(shown) ? undefined : rounded(shown, 2)];
  });
  return Object.fromEntries(columns) as Figures;
}

const before = readCpu([]);
const instances = sharesOf(settings.instances, "instances", "one instance has");
const tenants = sharesOf(settings.tenants, "tenants", "one tenant has");
const trials: Readonly<Record<string, Row>>[] = [];
for (let trial = 0; trial < settings.trials; trial += 1) {
  progress(`Trial ${trial + 1}`);
  const seeded = new Seeded(settings.seed + trial);
  trials.push({ ...insideOneCell(seeded, instances), ...overCells(seeded, tenants) });
}
const names = Object.keys(trials[0] ?? {});
deliver(
  {
    bench: "balance",
    unit: "load of the busiest over the mean (1 is even), computed from a seed",
    settings,
    othersBusyCores: othersBusy([cpuBetween(before, readCpu([]))]),
    subjects: Object.fromEntries(
      names.map((name) => [name, together(trials.map((rows) => rows[name] ?? {}))]),
    ),
  },
  json,
);
