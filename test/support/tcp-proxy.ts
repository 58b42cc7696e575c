import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** `up` is from the client to the server. */
export type Direction = "up" | "down";

/** One connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly muted: Set<Direction>;
}

/** Stands between a client and a server, and breaks their connections as a network would. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #refusing = false;
  #delayMs = 0;
  #bytesLeft = Infinity;

  private constructor(target: number) {
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client, target));
  }

  /** A proxy to a port of this machine. */
  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection, and refuses new ones until `restore()`. */
  cut(): void {
    this.#refusing = true;
    for (const pair of this.#pairs) resetBoth(pair);
  }

  /** Swallows every byte of the connections there are, in one direction or both, while both sides think they stand. */
  freeze(...directions: readonly Direction[]): void {
    for (const { muted } of this.#pairs) {
      for (const one of directions.length > 0 ? directions : (["up", "down"] as const)) {
        muted.add(one);
      }
    }
  }

  /** Lets every byte come so much later, until `restore()`. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Resets the connection that sends the byte after so many more from clients, be it in the middle of a frame. */
  resetAfter(bytes: number): void {
    this.#bytesLeft = bytes;
  }

  restore(): void {
    this.#refusing = false;
    this.#delayMs = 0;
    this.#bytesLeft = Infinity;
  }

  close(): void {
    this.#server.close();
    for (const pair of this.#pairs) resetBoth(pair);
  }

  #accept(client: Socket, target: number): void {
    if (this.#refusing) {
      reset(client);
      return;
    }
    const server = connect({ port: target, host: "127.0.0.1", noDelay: true });
    const pair: Pair = { client, server, muted: new Set() };
    this.#pairs.add(pair);
    this.#forward(pair, "up");
    this.#forward(pair, "down");
    for (const socket of [client, server]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        resetBoth(pair);
      });
    }
  }

  #forward(pair: Pair, direction: Direction): void {
    const [from, to] = direction === "up" ? [pair.client, pair.server] : [pair.server, pair.client];
    const held: Buffer[] = [];
    const pass = (chunk: Buffer) => {
      if (to.destroyed || pair.muted.has(direction)) return;
      if (direction === "up" && this.#isCutBy(pair, chunk)) return;
      if (to.write(chunk)) return;
      from.pause();
      to.once("drain", () => from.resume());
    };
    from.on("data", (chunk: Buffer) => {
      // What comes while earlier bytes are still held back must not overtake them.
      if (this.#delayMs === 0 && held.length === 0) return pass(chunk);
      held.push(chunk);
      setTimeout(() => pass(held.shift() ?? chunk), this.#delayMs);
    });
    from.on("end", () => to.end());
  }

  #isCutBy(pair: Pair, chunk: Buffer): boolean {
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft >= 0) return false;
    pair.server.write(chunk.subarray(0, chunk.length + this.#bytesLeft));
    this.#bytesLeft = Infinity;
    resetBoth(pair);
    return true;
  }
}

function resetBoth({ client, server }: Pair): void {
  for (const socket of [client, server]) if (!socket.destroyed) reset(socket);
}

/**
 * Resets a connection; one that is being ended is just closed. Node.js would never close that one: it stays until
 * the process ends, which then turns round it for ever.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
