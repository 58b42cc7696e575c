import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { CpuUse, Share } from "./cpu.ts";

type CpuPerUnit = Readonly<Record<Exclude<Share, "idle"> | "total", number>>;

/** What was measured of one subject; a figure that is missing was not asked for. */
export interface Figures {
  readonly perSecond?: number;
  /** Microseconds of CPU. */
  readonly cpuUsPerUnit?: CpuPerUnit;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly [more: string]: CpuPerUnit | number | undefined;
}

export interface Report {
  readonly bench: string;
  /** What one unit is, in words. */
  readonly unit: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly othersBusyCores: number;
  readonly subjects: Readonly<Record<string, Figures>>;
  readonly ratio?: Readonly<Record<string, number>>;
}

/** CPU time for each unit, by whose it was. */
export function perUnit(uses: readonly CpuUse[], units: number): CpuPerUnit {
  const of = (share: Share) =>
    rounded(uses.reduce((sum, { shares }) => sum + shares[share], 0) / units);
  const [engine, broker, store, driver] = [of("engine"), of("broker"), of("store"), of("driver")];
  const total = rounded(engine + broker + store + driver);
  return { engine, broker, store, driver, total };
}

/** Rounds of so many units in all, with how long each unit took in milliseconds where that was noted. */
export function summed(
  uses: readonly CpuUse[],
  units: number,
  took: readonly number[] = [],
): Figures {
  const seconds = uses.reduce((sum, use) => sum + use.seconds, 0);
  return {
    perSecond: Math.round(units / seconds),
    cpuUsPerUnit: perUnit(uses, units),
    ...(took.length > 0 && { p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99) }),
  };
}

/** Of all rounds together, weighted by their length. */
export function othersBusy(uses: readonly CpuUse[]): number {
  const seconds = uses.reduce((sum, use) => sum + use.seconds, 0);
  const busy = uses.reduce((sum, use) => sum + use.othersBusyCores * use.seconds, 0);
  return rounded(busy / seconds, 2);
}

/** The value below which this share of all lies; `share` from 0 to 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0, 2);
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** How many times as much of it the one needs as the other; not a number without both. */
export function quotient(
  of: Figures | undefined,
  by: Figures | undefined,
  read: (figures: Figures) => number,
): number {
  return of === undefined || by === undefined ? Number.NaN : rounded(read(of) / read(by), 2);
}

export function cpuOf({ cpuUsPerUnit }: Figures): number {
  return cpuUsPerUnit?.total ?? Number.NaN;
}

export function engineCpuOf({ cpuUsPerUnit }: Figures): number {
  return cpuUsPerUnit?.engine ?? Number.NaN;
}

export function speedOf({ perSecond }: Figures): number {
  return perSecond ?? Number.NaN;
}

/** Says what is going on: stdout is for the result. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints the table or, with `json`, one line; keeps it with what it was measured on under `bench/results/`. */
export function deliver(report: Report, json: boolean): void {
  keep(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${tableOf(report)}\n`);
}

/** Keeps a result under `bench/results/`, with when and on what it was measured. */
export function keep(result: { readonly bench: string }): void {
  const folder = fileURLToPath(new URL("results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = `${folder}${result.bench}-${at.replaceAll(":", "-")}.json`;
  writeFileSync(file, `${JSON.stringify({ at, machine: machine(), ...result }, null, 2)}\n`);
  progress(`Kept in ${file}`);
}

/** What this is measured on. */
export function machine(): object {
  const [{ model } = { model: "unknown" }, ...more] = cpus();
  const memoryMb = Math.round(totalmem() / 1_048_576);
  return { cores: more.length + 1, model, memoryMb, kernel: release(), node: process.version };
}

function tableOf({ bench, unit, settings, othersBusyCores, subjects, ratio = {} }: Report): string {
  const rows: readonly Row[] = Object.entries(subjects).map(([name, figures]) => ({
    name,
    ...flat(figures),
  }));
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [
    columns,
    ...rows.map((row: Row) => columns.map((column) => String(row[column] ?? ""))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((row) => row[index]?.length ?? 0)),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join("  "),
  );
  const said = Object.entries(settings).map(([name, value]) => `${name} ${String(value)}`);
  return [
    `${bench}: ${unit}`,
    `${said.join(", ")}; other processes kept ${othersBusyCores} cores busy`,
    ...lines,
    ...Object.entries(ratio).map(([name, value]) => `${name}: ${value}`),
  ].join("\n");
}

type Row = Readonly<Record<string, string | number | undefined>>;

/** CPU in columns of its own. */
function flat({ cpuUsPerUnit, ...figures }: Figures): Row {
  const shares = Object.entries(cpuUsPerUnit ?? {}).map(([share, us]) => [`${share} µs`, us]);
  return { ...figures, ...Object.fromEntries(shares) } as Row;
}
