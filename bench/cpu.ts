import { readdirSync, readFileSync } from "node:fs";

/** Whose CPU time it is. `driver` is the benchmark's own process
 * unless it is itself what is measured, `idle` a process of it that is not being measured. */
export type Share = "engine" | "broker" | "store" | "driver" | "idle";

/** CPU time used so far, in microseconds. */
export interface CpuTimes {
  readonly wallUs: number;
  /** Of the whole machine, with what its host took from it. */
  readonly machineUs: number;
  readonly shares: Readonly<Record<Share, number>>;
}

/** What was used between two readings. */
export interface CpuUse {
  readonly seconds: number;
  readonly shares: Readonly<Record<Share, number>>;
  /** How many cores all other processes of the machine kept busy. */
  readonly othersBusyCores: number;
}

// The kernel counts in hundredths of a second, whatever the machine.
const tickUs = 10_000;

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly usedUs: number;
}

/** Reads /proc: this process, all that descend from it, and the machine; `subjects` are what is being measured. */
export function readCpu(subjects: readonly number[]): CpuTimes {
  const rows = new Map(processes().map((row) => [row.pid, row]));
  const shares = { engine: 0, broker: 0, store: 0, driver: 0, idle: 0 };
  for (const row of rows.values()) {
    const share = shareOf(row, rows, subjects);
    if (share !== undefined) shares[share] += row.usedUs;
  }
  return { wallUs: performance.now() * 1_000, machineUs: machineUs(), shares };
}

/** The difference of two readings. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): CpuUse {
  const wallUs = after.wallUs - before.wallUs;
  const of = (share: Share) => after.shares[share] - before.shares[share];
  const shares = {
    engine: of("engine"),
    broker: of("broker"),
    store: of("store"),
    driver: of("driver"),
    idle: of("idle"),
  };
  const ours = Object.values(shares).reduce((sum, one) => sum + one, 0);
  const others = after.machineUs - before.machineUs - ours;
  return { seconds: wallUs / 1e6, shares, othersBusyCores: Math.max(0, others / wallUs) };
}

function shareOf(
  row: Row,
  rows: ReadonlyMap<number, Row>,
  subjects: readonly number[],
): Share | undefined {
  if (row.pid === process.pid) return subjects.includes(row.pid) ? "engine" : "driver";
  let isSubject = false;
  for (let one: Row | undefined = row; one !== undefined; one = rows.get(one.parent)) {
    isSubject ||= subjects.includes(one.pid);
    if (one.parent !== process.pid) continue;
    if (isSubject) return "engine";
    if (/^(beam|erl_|inet_get|epmd)/.test(row.name)) return "broker";
    return row.name.startsWith("redis-server") ? "store" : "idle";
  }
  return undefined;
}

function processes(): readonly Row[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** Undefined when it has just ended. */
function readProcess(pid: number): Row | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const name = text.slice(text.indexOf("(") + 1, end);
    const fields = text.slice(end + 2).split(" ");
    const usedUs = (Number(fields[11]) + Number(fields[12])) * tickUs;
    return { pid, parent: Number(fields[1]), name, usedUs };
  } catch {
    return undefined;
  }
}

function machineUs(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * tickUs;
}
