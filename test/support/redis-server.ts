import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

export interface RedisServerOptions {
  /** `appendfsync`, or no append-only file at all. */
  readonly log?: "always" | "everysec" | "none";
  /** More settings, as `redis-server` takes them. */
  readonly settings?: readonly string[];
}

// The server ends with the test run, however that ends: the shell notices that nobody holds its input any more.
const untilInputEnds = '"$@" >/dev/null & echo $!; cat >/dev/null; kill -9 $!; wait $!';

/** A `redis-server` of this test alone, on a free port with a folder of its own. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #command: readonly string[];
  #shell: ChildProcess | undefined;
  #pid = 0;

  private constructor(port: number, folder: string, command: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#command = command;
  }

  static async start({
    log = "none",
    settings = [],
  }: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), "waybill-redis-"));
    const port = await freePort();
    const durability =
      log === "none" ? ["--appendonly", "no"] : ["--appendonly", "yes", "--appendfsync", log];
    const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
    const command = ["redis-server", ...place, "--save", "", ...durability, ...settings];
    const server = new RedisServer(port, folder, command);
    await server.run();
    return server;
  }

  /** A Sentinel that watches the master at this port under the name `mymaster`; so many have to agree on its end. */
  static async sentinel(master: number, quorum: number): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), "waybill-sentinel-"));
    const port = await freePort();
    const path = join(folder, "sentinel.conf");
    const lines = [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${folder}`,
      `sentinel monitor mymaster 127.0.0.1 ${master} ${quorum}`,
      "sentinel down-after-milliseconds mymaster 700",
      "sentinel failover-timeout mymaster 3000",
    ];
    writeFileSync(path, `${lines.join("\n")}\n`);
    const server = new RedisServer(port, folder, ["redis-server", path, "--sentinel"]);
    await server.run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again on the same data after `kill`. */
  async run(): Promise<void> {
    const shell = spawn("sh", ["-c", untilInputEnds, "sh", ...this.#command], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#shell = shell;
    const [pid] = (await once(shell.stdout, "data")) as [Buffer];
    this.#pid = Number(String(pid));
    await this.#answers();
  }

  /** Sends a signal to the server process, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Ends it without warning, as a crash would; `run` starts it again. */
  async kill(): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined) return;
    this.#shell = undefined;
    shell.stdin?.end();
    if (shell.exitCode === null) await once(shell, "exit");
  }

  /** One command, on a connection of its own. */
  async call(command: string, ...parameters: readonly (string | number)[]): Promise<unknown> {
    const admin = new Redis(this.port, { retryStrategy: null, lazyConnect: true });
    admin.on("error", () => undefined);
    try {
      await admin.connect();
      return await admin.call(command, ...parameters);
    } finally {
      admin.disconnect();
    }
  }

  /** Remembers the data as they lie on the disk now, also while it runs. */
  copyData(): void {
    this.#dropCopy();
    cpSync(this.#folder, this.#copy, { recursive: true });
  }

  /** While it does not run: goes back to what `copyData` remembered, as after a loss of power. */
  restoreData(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    cpSync(this.#copy, this.#folder, { recursive: true });
  }

  get #copy(): string {
    return `${this.#folder}-copy`;
  }

  #dropCopy(): void {
    rmSync(this.#copy, { recursive: true, force: true });
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
    this.#dropCopy();
  }

  async #answers(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (await isReady(this.port)) return;
      if (this.#shell?.exitCode !== null) break;
      await sleep(25);
    }
    throw new Error(
      "redis-server did not start: install it so that it is on PATH (Debian: apt-get install redis-server).",
    );
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const done = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.once("data", (answer) => done(/^[+]PONG|NOAUTH/.test(String(answer))));
    socket.once("error", () => done(false));
  });
}
