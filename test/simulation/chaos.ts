import type { Seat, Seating } from "./seating.ts";
import type { World } from "./world.ts";

const kinds = [
  "kill",
  "kill",
  "kill",
  "freeze",
  "freeze",
  "freeze",
  "stop",
  "join",
  "deploy",
  "deploy",
  "skew",
  "cut",
  "store cut",
  "broker",
  "blackout",
  "store restart",
  "store restart",
  "store clock forward",
  "store clock back",
] as const;
type Kind = (typeof kinds)[number];
/** What one process suffers alone. */
const ofProcesses = ["kill", "freeze", "stop", "skew", "cut", "store cut"] as const;
type OfProcess = (typeof ofProcesses)[number];

/** Does one thing, chosen by chance, to one process, to the broker or to the store. */
export function strike(world: World, seating: Seating, wanted?: Kind): void {
  const { chance, faults, trace } = world;
  const seat = chance.pick(seating.all);
  const what = wanted ?? chance.pick(kinds);
  const befallsSeat = isOfProcess(what);
  if (befallsSeat && seat.host.process.state === "dead") return;
  if (what === "deploy" && !seating.isRollout) return;
  faults.count(what);
  trace.say("CHAOS", befallsSeat ? `${what} ${seat.host.process.name}` : what);
  if (isOfProcess(what)) befall(world, seating, { seat, what });
  else shake(world, seating, what);
  trace.say("OWNERS", world.owners());
}

function isOfProcess(what: Kind): what is OfProcess {
  return ofProcesses.some((one) => one === what);
}

function befall(
  { chance, server }: World,
  seating: Seating,
  { seat, what }: { readonly seat: Seat; readonly what: OfProcess },
): void {
  const { process, wire } = seat.host;
  if (what === "kill") seating.kill(seat);
  else if (what === "freeze") seating.freeze(seat);
  else if (what === "stop") seating.retire(seat);
  else if (what === "skew") process.skew(chance.between(-172_800_000, 172_800_000));
  else if (what === "store cut") server.cutOff(process.name, chance.between(50, 4_000));
  else wire.sever("connection reset", chance.between(10, 1_000));
}

function shake(world: World, seating: Seating, what: Exclude<Kind, OfProcess>): void {
  const { chance, server } = world;
  switch (what) {
    case "blackout":
      for (const one of seating.all) seating.kill(one);
      return;
    case "join":
      return seating.join(chance.between(1_500, 6_000));
    case "deploy":
      return seating.deploy();
    case "broker":
      return restartBroker(world);
    case "store restart":
      return restartStore(world, seating);
    case "store clock forward":
      return server.jump(forwardMs(world));
    case "store clock back":
      return server.jump(-chance.between(1, 1_500));
  }
}

/** By a little, or far enough for everything that waits to be overdue. */
function forwardMs({ chance, inboxWindowMs }: World): number {
  const isFar = inboxWindowMs > 60_000 && chance.hit(0.25);
  return isFar ? chance.between(60_000, 3_600_000) : chance.between(1, 2_000);
}

function restartBroker({ chance, hosts }: World): void {
  const downMs = chance.between(50, 1_200);
  for (const { wire } of hosts) wire.sever("the broker restarts", downMs);
}

function restartStore(world: World, seating: Seating): void {
  const { chance, server, trace } = world;
  if (!server.isUp) return;
  const downMs = chance.hit(0.2) ? chance.between(1_000, 4_000) : chance.between(50, 900);
  server.restart(downMs, () => trace.say("store", "is back"));
  if (world.mayForget) failPower(world, seating, downMs);
}

/** Once, when a process has begun to write a partition, the power fails before the store has synced that. */
export function failAfterClaim(world: World, seating: Seating): void {
  const { chance, faults, scheduler } = world;
  let isOver = false;
  world.claimed = () => {
    if (isOver || faults.isCalm || !chance.hit(0.3)) return;
    isOver = true;
    scheduler.at(chance.between(20, 700), () => strike(world, seating, "store restart"));
  };
}

/** The store forgets what it has not synced; those processes that would remember may end, or be about to stop. */
function failPower(world: World, seating: Seating, downMs: number): void {
  const { chance, tail, faults, trace, scheduler } = world;
  const lost = tail.lose(chance);
  trace.say("store", `has lost ${lost} commits`);
  if (lost > 0) faults.count("store tail lost");
  const victims = chance.pick(["nobody", "nobody", "one", "all", "stopped"]);
  if (victims === "stopped") {
    const seat = chance.pick(seating.all);
    scheduler.at(downMs + chance.between(0, 700), () => seating.retire(seat));
  }
  const { all } = seating;
  for (const seat of victims === "all" ? all : victims === "one" ? [chance.pick(all)] : []) {
    seating.kill(seat);
  }
}
