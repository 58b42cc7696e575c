import type { ChannelModel } from "amqplib";
import type { Ids } from "../../src/ids.ts";
import type { Address } from "./address.ts";
import { type ConnectOptions, hangUp, openConnection } from "./connection.ts";

export type LinkOptions = ConnectOptions & { readonly prefix: string; readonly ids: Ids };

/** What a link tells whoever holds it. */
export interface LinkWatcher {
  /** Called once, when either connection has ended without `close()`. */
  ended(reason: string): void;
  /** The broker takes no messages for now; undefined when it does again. */
  blocked(reason: string | undefined): void;
}

/**
 * Two connections to one host that live and die together: a broker short of memory stops reading from those that
 * publish, and acknowledgements must still get through.
 */
export class Link {
  readonly consuming: ChannelModel;
  readonly publishing: ChannelModel;
  readonly #address: Address;
  readonly #options: LinkOptions;
  readonly #fuse: Fuse;

  private constructor(
    connections: { readonly consuming: ChannelModel; readonly publishing: ChannelModel },
    fuse: Fuse,
    { address, options }: { readonly address: Address; readonly options: LinkOptions },
  ) {
    this.consuming = connections.consuming;
    this.publishing = connections.publishing;
    this.#fuse = fuse;
    this.#address = address;
    this.#options = options;
  }

  /** @throws WaybillError `login-refused`, `vhost-refused`, `unreachable` */
  static async open(address: Address, options: LinkOptions): Promise<Link> {
    const name = `${options.prefix} ${options.ids.next()}`;
    const fuse = new Fuse();
    const opening = { ...options, ended: (reason: string) => fuse.blow(reason) };
    const consuming = await openConnection(address, `${name} consume`, opening);
    try {
      const publishing = await openConnection(address, `${name} publish`, opening);
      return new Link({ consuming, publishing }, fuse, { address, options });
    } catch (error) {
      await hangUp(consuming, options);
      throw error;
    }
  }

  /** Why it is of no use any more, if so. */
  get ended(): string | undefined {
    return this.#fuse.reason;
  }

  /** Tells `watcher` from now on, at once when it has ended already. */
  watch(watcher: LinkWatcher): void {
    this.publishing.on("blocked", (reason) => watcher.blocked(reason));
    this.publishing.on("unblocked", () => watcher.blocked(undefined));
    this.#fuse.whenBlown((reason) => {
      watcher.ended(reason);
      void this.#hangUp();
    });
  }

  /** Gives up both connections. */
  end(reason: string): void {
    this.#fuse.blow(reason);
  }

  /**
   * Works on a connection to the same host that is for this work alone: the broker ends a whole connection, consumers
   * and all, when too few nodes are up to make a quorum queue.
   * @throws WaybillError `login-refused`, `vhost-refused`, `unreachable`, and what `work` throws
   */
  async aside(work: (connection: ChannelModel) => Promise<void>): Promise<void> {
    const { prefix, ids } = this.#options;
    const opening = { ...this.#options, ended: () => undefined };
    const connection = await openConnection(
      this.#address,
      `${prefix} ${ids.next()} aside`,
      opening,
    );
    try {
      await work(connection);
    } finally {
      void hangUp(connection, this.#options);
    }
  }

  /** Ends both connections without telling the watcher. */
  async close(): Promise<void> {
    this.#fuse.whenBlown(() => undefined);
    this.#fuse.blow("closed");
    await this.#hangUp();
  }

  async #hangUp(): Promise<void> {
    await Promise.all([
      hangUp(this.consuming, this.#options),
      hangUp(this.publishing, this.#options),
    ]);
  }
}

/** Blows once, and remembers why. */
class Fuse {
  #reason: string | undefined;
  #tell: ((reason: string) => void) | undefined;

  get reason(): string | undefined {
    return this.#reason;
  }

  blow(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#tell?.(reason);
  }

  whenBlown(tell: (reason: string) => void): void {
    this.#tell = tell;
    if (this.#reason !== undefined) tell(this.#reason);
  }
}
