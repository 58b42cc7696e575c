import type { Configuration } from "./moves.ts";
import type { Faults, Guards, Scenario } from "./state.ts";

/** One thing to be shown: that the promises hold, or which of them breaks without a guard. */
export interface Row extends Configuration {
  readonly name: string;
  /** Undefined when all promises must hold. */
  readonly breaks?: RegExp;
  /** Why they hold although a guard is missing. */
  readonly because?: string;
}

const recommended: Guards = {
  epoch: true,
  version: true,
  inbox: true,
  age: true,
  commitId: true,
  endAfterResend: true,
  ackAfterCommit: true,
  publishAfterCommit: true,
  fsync: true,
  redrive: true,
  confirm: true,
  lease: true,
  sweep: true,
  wakeUps: true,
  generation: true,
};

const noFaults: Faults = {
  crash: 0,
  freeze: 0,
  link: 0,
  timeout: 0,
  command: 0,
  confirm: 0,
  copy: 0,
  wakeUp: 0,
  power: 0,
};

type Without = Partial<Guards>;
type Troubles = Partial<Faults>;

/** Two events of one sender, who may publish either twice. */
function events(faults: Troubles, guards: Without = {}, queue = "a0b0"): Configuration {
  const scenario: Scenario = {
    queue,
    later: "",
    copied: queue,
    timers: false,
    lastTime: 0,
    faults: { ...noFaults, ...faults },
  };
  return { scenario, guards: { ...recommended, ...guards } };
}

/** Two timers of one state, both due at the same time; each leads back into the state. */
function timers(faults: Troubles, guards: Without = {}, queue = ""): Configuration {
  const { scenario, ...rest } = events(faults, guards, queue);
  return { ...rest, scenario: { ...scenario, timers: true, lastTime: 2 } };
}

/** An event, another one after any time, and a copy of the first when its id may be forgotten. */
function memory(faults: Troubles, guards: Without = {}, queue = "a0"): Configuration {
  const { scenario, ...rest } = events({ copy: 1, ...faults }, guards, queue);
  return { ...rest, scenario: { ...scenario, later: "b", lastTime: 4 } };
}

const twice = /applied twice/;
const lost = /event . is lost/;
const stray = /no step has asked/;
const never = /effect .* never goes out/;
const neverFires = /timer .* never fires/;
const early = /fired before it was due/;

/** What is built, under every trouble that it is made for. */
const asBuilt: readonly Row[] = [
  { name: "crash, repeated message", ...events({ crash: 1, copy: 1 }) },
  {
    name: "commits lost, late and repeated; crash",
    ...events({ timeout: 1, command: 1, crash: 1 }),
  },
  { name: "frozen owner, repeated message", ...events({ freeze: 1, copy: 1 }) },
  { name: "connections given up, confirms lost", ...events({ link: 1, confirm: 1 }) },
  { name: "timers; crash, frozen owner", ...timers({ crash: 1, freeze: 1 }) },
  { name: "timers; commits late and repeated", ...timers({ timeout: 2, command: 1 }) },
  { name: "inbox that forgets", ...memory({}) },
];

/** The same with more trouble at once. */
const asBuiltAtLength: readonly Row[] = [
  {
    name: "frozen owner, connection given up, repeated message",
    ...events({ freeze: 1, link: 1, copy: 1 }),
  },
  { name: "crash, frozen owner, late commits", ...events({ crash: 1, freeze: 1, timeout: 1 }) },
  {
    name: "one event; crash, frozen owner, connection given up, copy",
    ...events({ crash: 1, freeze: 1, link: 1, copy: 1 }, {}, "a0"),
  },
  {
    name: "one event; crash, connection, commits and confirms lost",
    ...events({ crash: 1, link: 1, timeout: 1, command: 1, confirm: 1 }, {}, "a0"),
  },
  {
    name: "timers and an event; crash, frozen owner, late commits",
    ...timers({ crash: 1, freeze: 1, timeout: 1 }, {}, "a0"),
  },
  { name: "inbox that forgets; crash", ...memory({ crash: 1 }) },
  { name: "two crashes, two copies", ...events({ crash: 2, copy: 2 }) },
];

/** One guard less: the promise that breaks must be found. */
const broken: readonly Row[] = [
  { name: "no inbox", breaks: twice, ...events({ copy: 1 }, { inbox: false }) },
  { name: "no inbox: after a crash", breaks: twice, ...events({ crash: 1 }, { inbox: false }) },
  { name: "inbox forgets, no age check", breaks: twice, ...memory({}, { age: false }) },
  { name: "inbox forgets, a sender's clock is far ahead", breaks: twice, ...memory({}, {}, "a9") },
  {
    name: "neither epoch nor version",
    breaks: /overwritten/,
    ...timers({ freeze: 1 }, { epoch: false, version: false }),
  },
  { name: "no epoch", breaks: never, ...events({ freeze: 1, crash: 1 }, { epoch: false }, "a0") },
  {
    name: "single active consumer is the only ownership",
    breaks: never,
    ...events({ crash: 1 }, { lease: false }),
  },
  {
    name: "outbox is not published again at a claim",
    breaks: never,
    ...events({ crash: 1 }, { redrive: false }),
  },
  {
    name: "publishes without confirms",
    breaks: never,
    ...events({ confirm: 1 }, { confirm: false }, "a0"),
  },
  {
    name: "effects leave before the commit",
    breaks: stray,
    ...events({ crash: 1 }, { publishAfterCommit: false }),
  },
  {
    name: "acknowledged before the commit",
    breaks: lost,
    ...events({ crash: 1 }, { ackAfterCommit: false }),
  },
  {
    name: "store answers before the disk has it",
    breaks: stray,
    ...events({ power: 1 }, { fsync: false }),
  },
  { name: "no commit id", breaks: never, ...events({ timeout: 1 }, { commitId: false }) },
  {
    name: "neither commit id nor inbox",
    breaks: twice,
    ...events({ timeout: 1 }, { commitId: false, inbox: false }),
  },
  {
    name: "timers are left to the wake-ups",
    breaks: neverFires,
    ...timers({ wakeUp: 1 }, { sweep: false }),
  },
  {
    name: "neither sweep nor wake-ups",
    breaks: neverFires,
    ...timers({}, { sweep: false, wakeUps: false }),
  },
  { name: "timers without generations", breaks: early, ...timers({}, { generation: false }) },
  {
    name: "no version, goes on after a repeated commit",
    breaks: /overwritten|twice|fired/,
    ...timers({ timeout: 1 }, { version: false, endAfterResend: false }),
  },
];

/** One guard less, and another one is enough. */
const redundant: readonly Row[] = [
  {
    name: "no version",
    because: "only one epoch can write at a time",
    ...events({ freeze: 1, copy: 1 }, { version: false }),
  },
  {
    name: "no inbox, no copies",
    because: "the commit id knows a repeated commit",
    ...events({ timeout: 1 }, { inbox: false }),
  },
  {
    name: "goes on after a repeated commit",
    because: "the version refuses the late copy",
    ...timers({ timeout: 2 }, { endAfterResend: false }),
  },
  {
    name: "no wake-ups",
    because: "the sweep finds what is due, only later",
    ...timers({ crash: 1, freeze: 1 }, { wakeUps: false }),
  },
  {
    name: "no sweep, no wake-up lost",
    because: "each claim looks, and each look arms the next",
    ...timers({ crash: 1 }, { sweep: false }),
  },
];

export const quickRows: readonly Row[] = [...asBuilt, ...broken, ...redundant];
export const allRows: readonly Row[] = [...asBuilt, ...asBuiltAtLength, ...broken, ...redundant];
