import { setTimeout as sleep } from "node:timers/promises";
import { type CpuUse, cpuBetween, readCpu } from "./cpu.ts";
import type { Load } from "./load.ts";
import { progress } from "./report.ts";
import type { Subject } from "./subject.ts";

/** Fills the queues while the processes stand still, and measures how they empty them. */
export async function drain(
  of: { readonly name: string; readonly load: Load; readonly subjects: readonly Subject[] },
  messages: number,
): Promise<CpuUse> {
  const { name, load, subjects } = of;
  const pids = subjects.map(({ pid }) => pid);
  for (const subject of subjects) subject.freeze();
  await load.fill(messages);
  await sleep(100);
  const before = readCpu(pids);
  for (const subject of subjects) subject.thaw();
  await load.drained(messages);
  const use = cpuBetween(before, readCpu(pids));
  const doubled = await load.collect(messages);
  const perSecond = Math.round(messages / use.seconds);
  progress(
    `${name}: ${perSecond}/s, others ${use.othersBusyCores.toFixed(2)} cores, ${doubled} doubled`,
  );
  return use;
}
