import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { createActor } from "xstate";
import { createEngine } from "../src/index.ts";
import { Metrics } from "../src/telemetry/metrics.ts";
import { type CpuUse, cpuBetween, readCpu } from "./cpu.ts";
import { parcel, parcelMachine, scans } from "./parcel.ts";
import { deliver, type Figures, othersBusy, percentile, progress, rounded } from "./report.ts";

/** One process and one SQLite file, every event on the disk before it is answered. */
const { values: options } = parseArgs({
  options: {
    events: { type: "string", default: "5000" },
    instances: { type: "string", default: "500" },
    inFlight: { type: "string", default: "200" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const settings = {
  events: Number(options.events),
  instances: Number(options.instances),
  inFlight: Number(options.inFlight),
  rounds: Number(options.rounds),
};

interface Runner {
  readonly name: string;
  /** Plays the next events; how long each took, in milliseconds. */
  readonly play: (events: number) => Promise<readonly number[]>;
  readonly close: () => Promise<void>;
  readonly uses: CpuUse[];
  readonly took: number[];
}

const note = "x".repeat(150);
function eventFor(index: number) {
  const type = scans[Math.floor(index / settings.instances) % scans.length] ?? scans[0];
  return { id: `p${index % settings.instances}`, type, payload: { amount: 1, note } };
}

async function openEngine(folder: string): Promise<Runner> {
  const store = `sqlite:${join(folder, "engine.db")}`;
  const engine = createEngine({ workflows: [parcel], store, observer: new Metrics() });
  await engine.start();
  const { client } = engine;
  for (let index = 0; index < settings.instances; index += 1) {
    await client.start({ workflow: "parcel", id: `p${index}`, input: { id: `p${index}` } });
  }
  let next = 0;
  async function play(events: number): Promise<readonly number[]> {
    const last = next + events;
    const took: number[] = [];
    const worker = async () => {
      while (next < last) {
        const { id, type, payload } = eventFor(next);
        next += 1;
        const began = performance.now();
        await client.send({ workflow: "parcel", id, type, payload: { id, ...payload } });
        took.push(performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: settings.inFlight }, worker));
    return took;
  }
  return { name: "waybill", play, close: () => engine.stop(), uses: [], took: [] };
}

/** As one writes it: a transaction for each event with its state, a row of history, and what goes out. */
function openByHand(folder: string): Runner {
  const db = new DatabaseSync(join(folder, "by-hand.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE parcel (id TEXT PRIMARY KEY, snapshot TEXT NOT NULL)");
  db.exec("CREATE TABLE history (id TEXT, event TEXT)");
  db.exec("CREATE TABLE outbox (id INTEGER PRIMARY KEY, message TEXT)");
  const load = db.prepare("SELECT snapshot FROM parcel WHERE id = ?");
  const save = db.prepare("INSERT OR REPLACE INTO parcel VALUES (?, ?)");
  const remember = db.prepare("INSERT INTO history VALUES (?, ?)");
  const send = db.prepare("INSERT INTO outbox (message) VALUES (?)");
  for (let index = 0; index < settings.instances; index += 1) {
    const id = `p${index}`;
    const actor = createActor(parcelMachine, { input: { id } }).start();
    save.run(id, JSON.stringify(actor.getPersistedSnapshot()));
  }
  let next = 0;
  function handle(): void {
    const { id, type, payload } = eventFor(next);
    next += 1;
    const { snapshot } = load.get(id) as { snapshot: string };
    const actor = createActor(parcelMachine, { snapshot: JSON.parse(snapshot) } as never);
    const emitted: object[] = [];
    actor.on("*", (one) => emitted.push(one));
    actor.start();
    const event = { type, id, ...payload };
    actor.send(event);
    db.exec("BEGIN IMMEDIATE");
    save.run(id, JSON.stringify(actor.getPersistedSnapshot()));
    remember.run(id, JSON.stringify(event));
    for (const one of emitted) send.run(JSON.stringify(one));
    db.exec("COMMIT");
    actor.stop();
  }
  async function play(events: number): Promise<readonly number[]> {
    return Array.from({ length: events }, () => {
      const began = performance.now();
      handle();
      return performance.now() - began;
    });
  }
  return { name: "byHand", play, close: async () => db.close(), uses: [], took: [] };
}

function figuresOf({ uses, took }: Runner): Figures {
  const units = settings.events * settings.rounds;
  const seconds = uses.reduce((sum, use) => sum + use.seconds, 0);
  const usedUs = uses.reduce((sum, { shares }) => sum + shares.driver, 0);
  return {
    perSecond: Math.round(units / seconds),
    usPerEvent: rounded(usedUs / units),
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
  };
}

const folder = mkdtempSync(join(tmpdir(), "waybill-bench-"));
const runners = [await openEngine(folder), openByHand(folder)];
try {
  progress("Warming up");
  for (const { play } of runners) await play(settings.events);
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const { name, play, uses, took } of runners) {
      const before = readCpu([]);
      took.push(...(await play(settings.events)));
      uses.push(cpuBetween(before, readCpu([])));
      progress(`${name}: ${Math.round(settings.events / (uses.at(-1)?.seconds ?? 1))}/s`);
    }
  }
  const subjects = Object.fromEntries(runners.map((runner) => [runner.name, figuresOf(runner)]));
  const [waybill, byHand] = runners.map(figuresOf);
  deliver(
    {
      bench: "embedded",
      unit: "one event sent, applied, on the disk and answered; CPU of the whole process",
      settings,
      othersBusyCores: othersBusy(runners.flatMap(({ uses }) => uses)),
      subjects,
      ratio: {
        "waybill speed / byHand speed": rounded(
          (waybill?.perSecond ?? 0) / (byHand?.perSecond ?? 1),
          2,
        ),
      },
    },
    options.json,
  );
} finally {
  for (const { close } of runners) await close();
  rmSync(folder, { recursive: true, force: true });
}
