import { fileURLToPath } from "node:url";
import { Child } from "../../support/child-process.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisServer } from "../../support/redis-server.ts";

const main = fileURLToPath(import.meta.resolve("../../../src/main.ts"));
const serviceMain = fileURLToPath(
  import.meta.resolve("../../../machines/order-to-shipment/services/run.ts"),
);

export const serviceNames = ["stock", "payment", "warehouse", "carrier"] as const;
type ServiceName = (typeof serviceNames)[number];

/** A process with an HTTP interface. */
export interface Served {
  readonly child: Child;
  readonly url: string;
}

/** A broker and a store of their own, and the processes that were started on them. */
export class ProcessLab {
  readonly broker: RabbitMqServer;
  readonly redis: RedisServer;
  readonly prefix: string;
  readonly #children: Child[] = [];

  private constructor(broker: RabbitMqServer, redis: RedisServer, prefix: string) {
    this.broker = broker;
    this.redis = redis;
    this.prefix = prefix;
  }

  static async open(prefix = "shop"): Promise<ProcessLab> {
    const redis = RedisServer.start({ log: "always" });
    return new ProcessLab(await RabbitMqServer.start(), await redis, prefix);
  }

  /** What every process of the engine is told. */
  get settings(): Readonly<Record<string, string>> {
    return {
      WAYBILL_BROKER: this.broker.url("engine"),
      WAYBILL_STORE: this.redis.url,
      WAYBILL_PREFIX: this.prefix,
      WAYBILL_PARTITIONS: "8",
      PORT: "0",
    };
  }

  /** Starts `src/main.ts` without services and made-up orders; does not wait for anything. */
  start(env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Child {
    const child = new Child({
      args: [main, "--no-generate", "--no-services", ...args],
      env: { ...this.settings, ...env },
    });
    this.#children.push(child);
    return child;
  }

  /** Starts it and resolves once it listens. */
  async serve(
    env: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
  ): Promise<Served> {
    const child = this.start(env, args);
    const [, url = ""] = await child.says(/listens on (http:\S+)/);
    return { child, url };
  }

  /** Starts one of the shop's services under another user than the engine's; resolves once it takes requests. */
  async service(name: ServiceName, broker = this.broker.url("guest")): Promise<Child> {
    const args = [serviceMain, name, "--broker", broker, "--prefix", this.prefix];
    const child = new Child({ args });
    this.#children.push(child);
    await child.says(/takes requests/);
    return child;
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()));
    await Promise.all([this.broker.stop(), this.redis.stop()]);
  }
}

/** The JSON of an answer in the 200s; anything else is an error. */
export async function getJson<Body>(url: string): Promise<Body> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Body;
}

/** PUTs JSON and gives the status, or 0 when nobody answered. */
export async function putJson(url: string, body: unknown): Promise<number> {
  const headers = { "content-type": "application/json" };
  try {
    const answer = await fetch(url, { method: "PUT", headers, body: JSON.stringify(body) });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}
