import { setTimeout as sleep } from "node:timers/promises";
import { Seeded } from "../test/support/seeded.ts";
import { move, registration, scans } from "./parcel.ts";
import { type Made, type Place, Wire } from "./wire.ts";

const note = "x".repeat(150);
const pollMs = 20;
const silenceMs = 60_000;
/** Whatever is there twice has come by then. */
const strayMs = 200;

/** So many are begun together: with more that wait an engine takes no new ones. */
const beginTogether = 100_000;

/** Puts scans of parcels into the queues of one subject, and looks at what comes out. */
export class Load {
  readonly #wire: Wire;
  readonly #instances: number;
  readonly #random: Seeded | undefined;
  /** How many scans each parcel has had. */
  readonly #scans: Uint8Array;
  #begun = 0;
  #sent = 0;

  private constructor(wire: Wire, instances: number, seed: number | undefined) {
    this.#wire = wire;
    this.#instances = instances;
    this.#random = seed === undefined ? undefined : new Seeded(seed);
    this.#scans = new Uint8Array(instances);
  }

  /** Scans are for the parcels in turn or, with a seed, for a random one each. */
  static async open(place: Place, instances: number, seed?: number): Promise<Load> {
    return new Load(await Wire.open(place, [move]), instances, seed);
  }

  get begun(): number {
    return this.#begun;
  }

  async close(): Promise<void> {
    await this.#wire.close();
  }

  /** Begins every parcel, or as many more as make so many, and waits until all have said so. */
  async begin(upTo = this.#instances): Promise<void> {
    while (this.#begun < upTo) {
      const first = this.#begun;
      const added = Math.min(beginTogether, upTo - first);
      await this.#wire.publishAll(added, (index) => made(first + index, registration, 0));
      await this.collect(added);
      this.#begun += added;
    }
  }

  /** Publishes so many messages for parcels that were begun; resolves once the broker has them all. */
  async fill(messages: number): Promise<void> {
    await this.#wire.publishAll(messages, () => this.#next());
  }

  /** Resolves once so many have come out. They stay in their queue: to read them is no part of what is measured. */
  async drained(messages: number): Promise<void> {
    const { channel, out } = this.#wire;
    let quietSince = performance.now();
    for (let before = -1; ; ) {
      const { messageCount } = await channel.checkQueue(out);
      if (messageCount >= messages) return;
      if (messageCount !== before) quietSince = performance.now();
      before = messageCount;
      if (performance.now() - quietSince > silenceMs) throw lost(out, messageCount, messages);
      await sleep(pollMs);
    }
  }

  /** Takes everything out, and makes sure that each message led to one; how many were there twice. */
  async collect(messages: number): Promise<number> {
    const seen = new Set<string>();
    let doubled = 0;
    const stop = await this.#wire.listen(({ id }) => {
      if (seen.has(id)) doubled += 1;
      seen.add(id);
    });
    const endsAt = performance.now() + silenceMs;
    while (seen.size < messages && performance.now() < endsAt) await sleep(pollMs);
    await sleep(strayMs);
    await stop();
    if (seen.size !== messages) throw lost(this.#wire.out, seen.size, messages);
    return doubled;
  }

  /** Publishes at a steady rate; how long each took to come out, in milliseconds, without those of the first second. */
  async latencies(perSecond: number, seconds: number): Promise<readonly number[]> {
    const total = perSecond * seconds;
    const took: number[] = [];
    // The messages of one parcel come out in their order, and so do its answers.
    const waiting = new Map<string, number[]>();
    let seen = 0;
    const known = new Set<string>();
    const stop = await this.#wire.listen(({ id, body }) => {
      if (known.has(id)) return;
      known.add(id);
      const sentAt = waiting.get(`parcel/${(body as { id: string }).id}`)?.shift();
      seen += 1;
      if (sentAt !== undefined && sentAt > began + 1_000) took.push(performance.now() - sentAt);
    });
    const began = performance.now();
    for (let index = 0; index < total; index += 1) {
      const due = began + (index * 1_000) / perSecond;
      while (performance.now() < due) await sleep(Math.max(1, due - performance.now()));
      const one = this.#next();
      waiting.set(one.key, [...(waiting.get(one.key) ?? []), performance.now()]);
      this.#wire.publish(one, () => undefined);
    }
    const endsAt = performance.now() + silenceMs;
    while (seen < total && performance.now() < endsAt) await sleep(pollMs);
    await stop();
    if (seen !== total) throw lost(this.#wire.out, seen, total);
    return took;
  }

  #next(): Made {
    const parcel = this.#random?.below(this.#begun) ?? this.#sent % this.#begun;
    const had = this.#scans[parcel] ?? 0;
    const type = scans[had % scans.length] ?? scans[0];
    // A byte is enough to know which is next: it begins anew where the scans do.
    this.#scans[parcel] = had + 1;
    const one = made(parcel, type, this.#sent);
    this.#sent += 1;
    return one;
  }
}

function made(parcel: number, type: string, number: number): Made {
  const id = `p${parcel}`;
  const body = type === registration ? { id } : { id, amount: 1, note };
  return { key: `parcel/${id}`, messageId: `${id}:${type}:${number}`, type, body };
}

function lost(queue: string, seen: number, sent: number): Error {
  return new Error(`${queue}: ${seen} came out of ${sent}.`);
}
