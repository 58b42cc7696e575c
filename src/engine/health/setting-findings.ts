import type { Durability } from "../../store.ts";
import type { Facts, Finding } from "./facts.ts";
import type { HealthLimits } from "./limits.ts";

/** What may be lost, and which setting mends it. */
const losses: Readonly<Partial<Record<Durability, readonly [string, string]>>> = {
  memory: [
    "everything is lost when it ends",
    "Use `sqlite:PATH`, or Redis with `appendonly yes` and `appendfsync always`.",
  ],
  second: [
    "a loss of power takes the commits of the last seconds with it",
    "Set `appendfsync always` in Redis.",
  ],
};

/** What is not as it should be about servers, clocks, this process and its workflows. */
export function settingFindings(facts: Facts, limits: HealthLimits): readonly Finding[] {
  return [
    ...durability(facts),
    ...clock(facts, limits),
    ...loop(facts, limits),
    ...deadEndStates(facts),
    ...rolledBack(facts),
  ];
}

function durability({ durability: { store, broker, advice } }: Facts): readonly Finding[] {
  const found: Finding[] = [];
  const [lost, mend = ""] = losses[store] ?? [];
  if (lost !== undefined) {
    const message = `The store's durability is \`${store}\`: ${lost}.`;
    const action = advice.length > 0 ? advice.join(" ") : mend;
    found.push(warning("store-durability", store, message, action));
  } else if (advice.length > 0) {
    const message = "The store has settings that put data or work at risk.";
    found.push(warning("store-settings", advice.join(), message, advice.join(" ")));
  }
  if (losses[broker] === undefined) return found;
  const message = `The broker's durability is \`${broker}\`: messages on their way are lost when it ends.`;
  const action = "Use `embedded:` with an SQLite file, or RabbitMQ.";
  return [...found, warning("broker-durability", broker, message, action)];
}

function clock({ clockSkewMs, clockJump }: Facts, limits: HealthLimits): readonly Finding[] {
  const found: Finding[] = [];
  if (Math.abs(clockSkewMs) >= limits.clockSkewMs) {
    const side = clockSkewMs > 0 ? "ahead of" : "behind";
    const message = `The store's clock is ${secondsOf(clockSkewMs)} ${side} this process's.`;
    const action =
      "Keep both machines in time (chrony, systemd-timesyncd). Timers go by the store's clock, logs and traces by this one's.";
    found.push(warning("clock-skew", side, message, action));
  }
  if (clockJump === undefined || clockJump.agoMs >= limits.tellMs) return found;
  return [...found, warning("clock-jump", "", jumpMessage(clockJump.byMs), jumpAction)];
}

const jumpAction =
  "See what sets the clock of the store's machine: let it be slewed and not stepped, and look whether a failover changed machines.";

/** What a jump of the store's clock means, as a sentence. */
export function jumpMessage(byMs: number): string {
  return byMs > 0
    ? `The store's clock has jumped forward by ${secondsOf(byMs)}, or this machine slept: timers may have fired early by as much.`
    : `The store's clock has jumped back by ${secondsOf(byMs)}: timers fire late by as much.`;
}

function loop({ loopBlocked }: Facts, limits: HealthLimits): readonly Finding[] {
  if (loopBlocked === undefined || loopBlocked.agoMs >= limits.tellMs) return [];
  const message = `Nothing else could run in this process for ${secondsOf(loopBlocked.durationMs)}.`;
  const action =
    "Look for long computing in guards, actions and activities, and for too little CPU; beyond 3 s other processes take its partitions over.";
  return [warning("event-loop-blocked", "", message, action)];
}

function deadEndStates({ deadEnds }: Facts): readonly Finding[] {
  if (deadEnds.length === 0) return [];
  const message = `Nothing known leads out of these states: ${deadEnds.join(", ")}.`;
  const action =
    "If instances are to end there, make them final; else give them an event, an `after` or an `invoke`.";
  return [warning("dead-end-states", deadEnds.join(), message, action)];
}

function rolledBack({ rollbacks }: Facts): readonly Finding[] {
  const action =
    "See what the store was started from (a crash without `appendfsync always`, a failover, a backup); dead letters with the reason `rolled-back` are what is lost.";
  return rollbacks.map((text) => {
    const message = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
    return warning("store-rolled-back", text, message, action);
  });
}

function warning(code: string, about: string, message: string, action: string): Finding {
  return { code, severity: "warning", about, message, action };
}

function secondsOf(durationMs: number): string {
  return `${(Math.abs(durationMs) / 1_000).toFixed(1)} s`;
}
