import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { serverProgram } from "./server-programs.ts";

export interface RedisServerOptions {
  /** `appendfsync`, or no append-only file at all. */
  readonly log?: "always" | "everysec" | "none";
  /** More settings, as `redis-server` takes them. */
  readonly settings?: readonly string[];
}

// The server ends with the test run, however that ends: the shell notices that nobody holds its input any more.
// Where it runs in a container, its pid is not that of what the shell has started.
const untilInputEnds = `
pid_file=$1; shift
"$@" >/dev/null & started=$!
cat >/dev/null
kill -9 "$(cat "$pid_file")" 2>/dev/null || kill -9 $started
wait $started
`;

/** Busy machines are slow. */
const startsWithinMs = 30_000;

// Below the range that outgoing connections get their ports from: none may sit on a server's port while it restarts.
const firstPort = 12_000;
const portCount = 20_000;
let portsTried = process.pid * 131;

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
    const pidFile = ["--pidfile", join(folder, "pid")];
    const command = [...place, ...pidFile, "--save", "", ...durability, ...settings];
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
      `pidfile ${join(folder, "pid")}`,
      `sentinel monitor mymaster 127.0.0.1 ${master} ${quorum}`,
      "sentinel down-after-milliseconds mymaster 1500",
      "sentinel failover-timeout mymaster 3000",
    ];
    writeFileSync(path, `${lines.join("\n")}\n`);
    const server = new RedisServer(port, folder, [path, "--sentinel"]);
    await server.run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again on the same data after `kill`. */
  async run(): Promise<void> {
    const pidFile = join(this.#folder, "pid");
    rmSync(pidFile, { force: true });
    const command = [serverProgram("redis-server"), ...this.#command];
    this.#shell = spawn("sh", ["-c", untilInputEnds, "sh", pidFile, ...command], {
      stdio: ["pipe", "ignore", "ignore"],
      // Ctrl-C is for whoever started it and has things to ask before the end.
      detached: true,
    });
    await this.#answers();
    this.#pid = Number(readFileSync(pidFile, "utf8"));
  }

  /** The process to measure. */
  get pid(): number {
    return this.#pid;
  }

  /** Runs a command whose words hold no spaces, and gives the answer as it comes over the wire. */
  async command(...words: readonly string[]): Promise<string> {
    const socket = connect(this.port, "127.0.0.1");
    socket.write(`${words.join(" ")}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    if (String(answer).startsWith("-")) throw new Error(`${words.join(" ")}: ${String(answer)}`);
    return String(answer);
  }

  /** Resolves once it has ended by itself; `run` starts it again. */
  async ended(withinMs: number): Promise<void> {
    const endsAt = performance.now() + withinMs;
    while (await isReady(this.port)) {
      if (performance.now() > endsAt) throw new Error("Redis has not ended by itself.");
      await sleep(50);
    }
    await this.kill();
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
    const endsAt = performance.now() + startsWithinMs;
    while (performance.now() < endsAt && this.#shell?.exitCode === null) {
      if (await isReady(this.port)) return;
      await sleep(25);
    }
    throw new Error(`redis-server did not start: ${this.#command.join(" ")}`);
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    portsTried += 1;
    const port = firstPort + (portsTried % portCount);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
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
