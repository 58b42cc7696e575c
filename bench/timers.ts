import { setTimeout as sleep } from "node:timers/promises";
import { alarmRang, alarmSet, alarmStart } from "./alarm.ts";
import { cpuBetween, readCpu } from "./cpu.ts";
import { readOptions, servers } from "./options.ts";
import { deliver, othersBusy, percentile, perUnit, progress, rounded } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";
import { Wire } from "./wire.ts";

/** Many timers at once: how late each is heard of, whether one is early, and what it costs to arm and to fire it. */
const {
  json,
  window: windowSeconds,
  ...counts
} = readOptions({
  name: "timers",
  measures:
    "Many timers at once: how late each is heard of, and what it costs to arm and to fire it.",
  options: {
    timers: [10_000, "timers"],
    window: [10, "seconds from when the first is due to when the last is"],
    ...servers,
  },
});
const settings = { ...counts, windowSeconds };
const { timers } = settings;
/** All are armed before the first one is due. */
const leadMs = 5_000 + timers / 2;
const silenceMs = 60_000;

/** When each was due and when it was heard of, by this machine's clock. */
class Watch {
  readonly #due = new Float64Array(timers);
  readonly #heard = new Float64Array(timers);
  readonly #delays = new Float64Array(timers);
  #lastNews = performance.now();
  armed = 0;
  fired = 0;

  delay(index: number, delayMs: number): void {
    this.#delays[index] = delayMs;
  }

  take({ type, body, sentAt }: { type: string; body: unknown; sentAt: number }): void {
    const index = Number((body as { id: string }).id);
    this.#lastNews = performance.now();
    if (type === alarmSet) {
      this.armed += 1;
      this.#due[index] = sentAt + (this.#delays[index] ?? 0);
    } else {
      this.fired += this.#heard[index] === 0 ? 1 : 0;
      this.#heard[index] ||= Date.now();
    }
  }

  async until(isOver: () => boolean, patienceMs: number): Promise<void> {
    while (!isOver()) {
      await sleep(20);
      if (performance.now() - this.#lastNews < patienceMs) continue;
      throw new Error(`${this.armed} timers were armed and ${this.fired} fired of ${timers}.`);
    }
  }

  get firstDue(): number {
    return this.#due.reduce((least, due) => Math.min(least, due), Number.POSITIVE_INFINITY);
  }

  get lateness(): readonly number[] {
    return Array.from(this.#heard, (heard, index) => heard - (this.#due[index] ?? 0));
  }
}

const stage = await openStage(settings.aof as Aof);
const place = { broker: stage.broker, prefix: "waybill", partitions: settings.partitions };
const wire = await Wire.open(place, [alarmSet, alarmRang]);
const subject = await Subject.start("waybill.ts", { ...place, store: stage.store });
try {
  const watch = new Watch();
  await wire.listen((heard) => watch.take(heard));
  progress(`Arming ${timers} timers`);
  const beforeArming = readCpu([subject.pid]);
  const began = Date.now();
  await wire.publishAll(timers, (index) => {
    const delayMs = began + leadMs + (index / timers) * windowSeconds * 1_000 - Date.now();
    watch.delay(index, Math.max(0, Math.round(delayMs)));
    const id = String(index);
    const body = { id, delayMs: Math.max(0, Math.round(delayMs)) };
    return { key: `alarm/${id}`, messageId: `start-${id}`, type: alarmStart, body };
  });
  await watch.until(() => watch.armed === timers, silenceMs);
  const arming = cpuBetween(beforeArming, readCpu([subject.pid]));
  const early = watch.fired;
  const { firstDue } = watch;
  progress(
    `Armed in ${rounded(arming.seconds)} s; the first is due in ${firstDue - Date.now()} ms`,
  );
  await sleep(Math.max(0, firstDue - Date.now() - 100));
  const beforeFiring = readCpu([subject.pid]);
  await watch.until(() => watch.fired === timers, silenceMs + leadMs);
  const firing = cpuBetween(beforeFiring, readCpu([subject.pid]));
  const { lateness } = watch;
  deliver(
    {
      bench: "timers",
      unit: "one durable timer, armed and then fired; late is when its event is heard, by due time",
      settings: { ...settings, firedWhileArming: early },
      othersBusyCores: othersBusy([arming, firing]),
      subjects: {
        arming: {
          perSecond: Math.round(timers / arming.seconds),
          cpuUsPerUnit: perUnit([arming], timers),
        },
        firing: {
          perSecond: Math.round(timers / firing.seconds),
          cpuUsPerUnit: perUnit([firing], timers),
          p50Ms: percentile(lateness, 0.5),
          p99Ms: percentile(lateness, 0.99),
          maxMs: percentile(lateness, 1),
          early: lateness.filter((ms) => ms < 0).length,
        },
      },
    },
    json,
  );
} finally {
  await wire.close();
  await subject.stop();
  await stage.close();
}
