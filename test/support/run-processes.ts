import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that belongs to a test run. */
export interface RunProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * What runs, and names the run's folder in its environment or its arguments, or works in it: the tests' servers, their
 * children, and Vitest's own workers. Only Linux tells; elsewhere none is found.
 */
export function processesOf(folder: string): readonly RunProcess[] {
  return pids().flatMap((pid) => {
    if (pid === process.pid) return [];
    const command = textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const belongs =
      command.includes(folder) ||
      textOf(`/proc/${pid}/environ`).includes(folder) ||
      placeOf(pid).startsWith(folder);
    return belongs ? [{ pid, command }] : [];
  });
}

/** As `processesOf`, without those that run the tests and watch over them. */
export function serversOf(folder: string): readonly RunProcess[] {
  return processesOf(folder).filter(({ command }) => !/\b(vitest|run-guard)\b/.test(command));
}

/** Waits until a list is empty, and gives what is still in it when the time is over. */
export async function remaining<Item>(
  list: () => readonly Item[],
  withinMs: number,
): Promise<readonly Item[]> {
  const endsAt = performance.now() + withinMs;
  for (;;) {
    const items = list();
    if (items.length === 0 || performance.now() > endsAt) return items;
    await sleep(50);
  }
}

function pids(): readonly number[] {
  try {
    return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** Nothing for a process that has ended meanwhile, and for those of other users. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function placeOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}
