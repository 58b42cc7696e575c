import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Stands between a client and a server, and breaks their connections as a network would. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #refusing = false;

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
    for (const pair of this.#pairs) reset(pair);
  }

  /** Swallows every byte of the connections there are, while both sides think they stand. */
  freeze(): void {
    for (const [client, server] of this.#pairs) {
      for (const socket of [client, server]) {
        socket.unpipe();
        socket.on("data", () => undefined);
      }
    }
  }

  restore(): void {
    this.#refusing = false;
  }

  close(): void {
    this.#server.close();
    for (const pair of this.#pairs) reset(pair);
  }

  #accept(client: Socket, target: number): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: target, host: "127.0.0.1", noDelay: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    client.pipe(server);
    server.pipe(client);
    for (const socket of pair) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        reset(pair);
      });
    }
  }
}

function reset(pair: readonly Socket[]): void {
  for (const socket of pair) {
    if (!socket.destroyed) socket.resetAndDestroy();
  }
}
