import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connect } from "amqplib";
import { freePort } from "./redis-server.ts";
import { serverProgram } from "./server-programs.ts";

/** Users that the broker knows; the password is the name. */
export const brokerUsers = ["engine", "guest"] as const;
type User = (typeof brokerUsers)[number];

// The broker and its port mapper end with the test run, however that ends: the shell notices that nobody holds its
// input any more. A frozen broker ends only once it runs again; the port mapper refuses to go while it knows a node.
const untilInputEnds = `
"$1" >"$2" 2>&1 & broker=$!
cat >/dev/null
kill -TERM "$(cat "$RABBITMQ_PID_FILE")" 2>/dev/null || kill -TERM $broker 2>/dev/null
kill -CONT "$(cat "$RABBITMQ_PID_FILE")" 2>/dev/null
wait $broker 2>/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do epmd -kill >/dev/null 2>&1 && break; sleep 0.1; done
`;

export interface RabbitMqServerOptions {
  /** What the nodes of one cluster have in common: the port mapper's port and the cookie. */
  readonly together?: { readonly mapper: number; readonly cookie: string };
  /** More lines for `rabbitmq.conf`. */
  readonly settings?: readonly string[];
}

/** A RabbitMQ broker of this test alone: free ports, a port mapper, a cookie and a folder of its own. */
export class RabbitMqServer {
  readonly port: number;
  /** What other nodes call it. */
  readonly nodeName: string;
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  #shell: ChildProcess | undefined;

  private constructor(port: number, folder: string, environment: NodeJS.ProcessEnv) {
    this.port = port;
    this.nodeName = environment["RABBITMQ_NODENAME"] ?? "";
    this.#folder = folder;
    this.#environment = environment;
  }

  static async start(options: RabbitMqServerOptions = {}): Promise<RabbitMqServer> {
    const folder = mkdtempSync(join(tmpdir(), "waybill-rabbitmq-"));
    const [port, distribution] = [await freePort(), await freePort()];
    const together = options.together ?? { mapper: await freePort(), cookie: newCookie() };
    writeConfiguration(folder, port, options.settings);
    const environment = environmentOf(folder, { distribution, ...together });
    const server = new RabbitMqServer(port, folder, environment);
    await server.run();
    return server;
  }

  /** Where a transport finds it; by way of another port for a proxy. */
  url(user: User = "engine", port = this.port): string {
    return `amqp://${user}:${user}@127.0.0.1:${port}`;
  }

  /** Starts it, again on the same data after `shutDown` or `kill`. */
  async run(): Promise<void> {
    const script = serverProgram("rabbitmq-server");
    const log = join(this.#folder, "out.log");
    const shell = spawn("sh", ["-c", untilInputEnds, "sh", script, log], {
      env: this.#environment,
      cwd: this.#folder,
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#shell = shell;
    for (let attempt = 0; attempt < 2_400 && shell.exitCode === null; attempt += 1) {
      if (await this.#answers()) return;
      await sleep(50);
    }
    throw new Error(`RabbitMQ did not start:\n${readFileSync(log, "utf8").slice(-2_000)}`);
  }

  /** Ends it in good order; `run` starts it again. */
  async shutDown(): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined) return;
    this.#shell = undefined;
    shell.stdin?.end();
    if (shell.exitCode === null) await once(shell, "exit");
  }

  /** Ends it without warning, as a crash would; `run` starts it again. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.shutDown();
  }

  /** Sends a signal to the broker's process, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** The process to measure. */
  get pid(): number {
    return Number(readFileSync(join(this.#folder, "pid"), "utf8"));
  }

  /** Runs `rabbitmqctl`. */
  async control(...parameters: readonly string[]): Promise<string> {
    const options = { env: this.#environment };
    const run = promisify(execFile);
    const { stdout } = await run(serverProgram("rabbitmqctl"), ["-q", ...parameters], options);
    return stdout;
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.shutDown();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    try {
      const connection = await connect(this.url());
      await connection.close();
      return true;
    } catch {
      return false;
    }
  }
}

/** What nodes prove to each other that they belong together with. */
export function newCookie(): string {
  return randomBytes(10).toString("hex");
}

/** Here, since versions before 4.3 refuse it in `rabbitmq.conf`: what was out by way of a dead node comes back soon. */
const advanced = "[{rabbit, [{consumer_disconnected_timeout, 2000}]}].\n";

function writeConfiguration(folder: string, port: number, more: readonly string[] = []): void {
  const definitions = join(folder, "definitions.json");
  const settings = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    `load_definitions = ${definitions}`,
    // Small disks would raise an alarm, and publishes would wait for its end.
    "disk_free_limit.absolute = 50MB",
    "vm_memory_high_watermark.absolute = 1GB",
    "log.console = true",
    "log.file = false",
    ...more,
  ];
  writeFileSync(join(folder, "rabbitmq.conf"), `${settings.join("\n")}\n`);
  writeFileSync(join(folder, "advanced.config"), advanced);
  writeFileSync(join(folder, "plugins"), "[].");
  writeFileSync(definitions, JSON.stringify(definitionsOf(brokerUsers)));
}

function definitionsOf(names: readonly string[]): unknown {
  const all = { configure: ".*", write: ".*", read: ".*" };
  return {
    vhosts: [{ name: "/" }],
    users: names.map((name) => ({ name, password_hash: hashOf(name), tags: "" })),
    permissions: names.map((user) => ({ user, vhost: "/", ...all })),
  };
}

/** As RabbitMQ keeps passwords: salt and SHA-256 of salt and password. */
function hashOf(password: string): string {
  const salt = randomBytes(4);
  const hash = createHash("sha256").update(salt).update(password).digest();
  return Buffer.concat([salt, hash]).toString("base64");
}

/** Nothing of the machine's own broker, and nothing of this process's environment but the path. */
function environmentOf(
  folder: string,
  node: { readonly distribution: number; readonly mapper: number; readonly cookie: string },
): NodeJS.ProcessEnv {
  const { distribution, mapper, cookie } = node;
  return {
    PATH: process.env["PATH"],
    HOME: folder,
    LANG: "C.UTF-8",
    ERL_EPMD_PORT: String(mapper),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `waybill${distribution}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_PID_FILE: join(folder, "pid"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "advanced.config"),
    RABBITMQ_CONF_ENV_FILE: join(folder, "none.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, "generated"),
    // No core spins while it waits for work: several nodes share few.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-setcookie ${cookie} +sbwt none -kernel inet_dist_use_interface {127,0,0,1}`,
    RABBITMQ_CTL_ERL_ARGS: `-setcookie ${cookie}`,
  };
}
