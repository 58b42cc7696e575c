import type { Cancel } from "../../src/clock.ts";
import { WaybillError } from "../../src/errors.ts";
import type { Address } from "./address.ts";
import { backoffMs } from "./backoff.ts";
import { Link, type LinkOptions } from "./link.ts";
import { unavailable } from "./refusals.ts";

export interface LinkKeeperOptions extends LinkOptions {
  readonly addresses: readonly Address[];
  /** Makes a new link ready for use; when it rejects, the link is given up. */
  readonly prepare: (link: Link) => Promise<void>;
  readonly up: () => void;
  readonly down: (reason: string) => void;
  readonly blocked: (reason: string | undefined) => void;
}

/** A link that lived shorter than this counts as another failure. */
const stableMs = 10_000;

/** Keeps one link up: tries the hosts in turn, with growing pauses between the rounds. */
export class LinkKeeper {
  readonly #options: LinkKeeperOptions;
  #link: Link | undefined;
  #failures = 0;
  #upSince = 0;
  #closed = false;
  #opening: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: LinkKeeperOptions) {
    this.#options = options;
  }

  /** The link, while it is up and ready. */
  get link(): Link | undefined {
    return this.#link;
  }

  /**
   * Resolves when the link is up for the first time. Later on it comes back by itself.
   * @throws WaybillError `login-refused`, `vhost-refused` or a mismatch of the topology, against which waiting does not help
   */
  open(): Promise<void> {
    this.#closed = false;
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#opening = undefined;
    this.#wake?.();
    const link = this.#link;
    this.#link = undefined;
    await link?.close();
  }

  async #open(): Promise<void> {
    for (;;) {
      const problem = await this.#round();
      if (problem === undefined) return;
      if (this.#closed) throw unavailable("closed");
      this.#options.down(problem.message);
      if (!problem.retryable) throw problem;
      await this.#pause();
    }
  }

  async #comeBack(): Promise<void> {
    while (!this.#closed) {
      await this.#pause();
      if (this.#closed) return;
      const problem = await this.#round();
      if (problem === undefined) return;
      this.#options.down(problem.message);
    }
  }

  /** Tries each host once; answers the problem that waiting may help against rather than another one. */
  async #round(): Promise<WaybillError | undefined> {
    const problems: WaybillError[] = [];
    for (const address of this.#options.addresses) {
      if (this.#closed) break;
      try {
        await this.#connect(address);
        return undefined;
      } catch (error) {
        problems.push(error instanceof WaybillError ? error : unavailable(String(error), error));
      }
    }
    return problems.find(({ retryable }) => retryable) ?? problems[0] ?? unavailable("closed");
  }

  async #connect(address: Address): Promise<void> {
    const { prepare, up, blocked, clock } = this.#options;
    const link = await Link.open(address, this.#options);
    try {
      await prepare(link);
      if (this.#closed) throw unavailable("closed");
      if (link.ended !== undefined) throw unavailable(link.ended);
    } catch (error) {
      await link.close();
      throw error;
    }
    this.#link = link;
    this.#upSince = clock.monotonic();
    up();
    link.watch({ blocked, ended: (reason) => this.#ended(link, reason) });
  }

  #ended(link: Link, reason: string): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (this.#options.clock.monotonic() - this.#upSince > stableMs) this.#failures = 0;
    this.#options.down(reason);
    void this.#comeBack();
  }

  #pause(): Promise<void> {
    const { clock, ids, limits } = this.#options;
    const { firstRetryMs: firstMs, lastRetryMs: lastMs } = limits;
    const pauseMs = backoffMs(this.#failures, { firstMs, lastMs, ids });
    this.#failures += 1;
    return new Promise((resolve) => {
      let cancel: Cancel | undefined;
      this.#wake = () => {
        cancel?.();
        resolve();
      };
      cancel = clock.after(pauseMs, resolve);
    });
  }
}
