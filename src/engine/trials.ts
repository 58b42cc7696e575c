import { createHash } from "node:crypto";
import type { Cancel, Clock } from "../clock.ts";
import type { Arrival } from "./arrival.ts";
import type { Committed, Committer } from "./committer.ts";
import type { Left } from "./left-behind.ts";
import type { TrialRoom } from "./trial-room.ts";
import type { Trial } from "./wire.ts";

export interface TrialsOptions {
  readonly clock: Clock;
  readonly room: TrialRoom;
  readonly committer: Committer;
  /** How many processes may end over one arrival. */
  readonly deaths: number;
  /** A time by the store's clock that was not over when the partition was claimed. */
  readonly claimedAt: number;
  /** Takes outbox entries that are of no more use. */
  readonly settle: (seqs: readonly number[]) => void;
}

/** What has ended an earlier owner is there again by then, at the head of the queue. */
const searchMs = 10_000;

/**
 * Commits the batches of a partition, and finds what ends the process. What an earlier owner may have had in hand when
 * it ended is written down before it is tried: all of a batch at first; whatever a process has ended over, alone. How
 * often the broker has delivered a message says less: whatever else the process held is counted with it.
 */
export class Trials {
  readonly #options: TrialsOptions;
  /** How many processes have ended over it, by name. */
  readonly #deaths = new Map<string, number>();
  /** The outbox entries that tell this to the next owner. */
  #entries: number[] = [];
  #cancel: Cancel | undefined;

  constructor(options: TrialsOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier owner has written down. */
  inherit(left: readonly Left[]): void {
    for (const { seq, content } of left) {
      if (content.kind === "trial") this.#inherit(seq, content.trial);
    }
    if (this.#entries.length === 0) return;
    this.#cancel = this.#options.clock.after(searchMs, () => {
      this.#deaths.clear();
      this.#options.settle(this.#entries.splice(0));
    });
  }

  close(): void {
    this.#cancel?.();
  }

  #inherit(seq: number, { by, trying, deaths }: Trial): void {
    this.#entries.push(seq);
    for (const [name, count] of Object.entries(deaths)) this.#deaths.set(name, count);
    if (this.#options.room.isAlive(by)) return;
    for (const name of trying) this.#deaths.set(name, (this.#deaths.get(name) ?? 0) + 1);
  }

  /** Whether a process has ended while it tried this. */
  isSuspect(arrival: Arrival): boolean {
    return this.#deaths.has(nameOf(arrival));
  }

  /** @throws WaybillError `ownership-lost` */
  commit(arrivals: readonly Arrival[]): Promise<Committed> {
    const { room, committer } = this.#options;
    if (!arrivals.some((arrival) => this.#mayKill(arrival))) return committer.commit(arrivals);
    return room.run(() => this.#try(arrivals));
  }

  async #try(arrivals: readonly Arrival[]): Promise<Committed> {
    const { committer, deaths } = this.#options;
    const guilty = arrivals.filter((one) => (this.#deaths.get(nameOf(one)) ?? 0) >= deaths);
    for (const arrival of guilty) {
      const detail = `${this.#deaths.get(nameOf(arrival))} processes have ended over it`;
      committer.condemn(arrival, { reason: "poison", detail });
    }
    const isAlone = arrivals.some((arrival) => this.isSuspect(arrival));
    if (guilty.length === 0) await this.#writeDown(arrivals);
    for (const arrival of arrivals) this.#deaths.delete(nameOf(arrival));
    // While anything else is suspected, its count has to be remembered.
    if (this.#deaths.size === 0) committer.delivered(this.#entries.splice(0));
    return committer.commit(arrivals, { isAlone });
  }

  async #writeDown(arrivals: readonly Arrival[]): Promise<void> {
    const { room, committer } = this.#options;
    const trial: Trial = {
      by: room.by,
      // Activities have an account of their own.
      trying: [...new Set(arrivals.filter(({ kind }) => kind !== "rerun").map(nameOf))],
      deaths: Object.fromEntries(this.#deaths),
    };
    committer.delivered(this.#entries.splice(0));
    const { plan } = await committer.commit([], { promised: [{ kind: "trial", trial }] });
    this.#entries = plan.outbox.map(({ seq }) => seq);
  }

  /** Whether an earlier owner may have had it in hand. */
  #mayKill(arrival: Arrival): boolean {
    if (arrival.kind === "unfit") return false;
    const { delivery, isLeft, timerRow } = arrival.receipt;
    if (isLeft === true || (delivery?.redeliveries ?? 0) > 0) return true;
    return timerRow !== undefined && timerRow.due <= this.#options.claimedAt;
  }
}

/** What an arrival is called in every process that it comes to. */
function nameOf({ receipt, key, messageId, message, kind }: Arrival): string {
  if (receipt.timerRow !== undefined) return `timer ${receipt.timerRow.id}`;
  if (messageId !== undefined) return `message ${messageId} to ${key}`;
  const { type = kind, body = "" } = message ?? {};
  return `message ${createHash("sha256").update(`${type}\n${body}`).digest("base64url")} to ${key}`;
}
