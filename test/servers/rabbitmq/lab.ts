import { vi } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { systemIds } from "../../../src/ids.ts";
import type { Transport } from "../../../src/transport.ts";
import type { RabbitMqOptions } from "../../../transports/rabbitmq/options.ts";
import { RabbitMqTransport } from "../../../transports/rabbitmq/transport.ts";
import type { TransportLab } from "../../contracts/transport-lab.ts";
import type { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";

/** A name of its own for each test, so that they do not meet on the broker they share. */
export function freshPrefix(): string {
  return `t${systemIds.next().slice(-12)}`;
}

/** Options for a transport by way of `port`, which may be a proxy's. */
export function optionsFor(
  url: string,
  prefix: string,
  limits: RabbitMqOptions["limits"] = {},
): RabbitMqOptions {
  return { url, prefix, clock: systemClock, ids: systemIds, limits };
}

/** A lab on a broker; each transport has a proxy of its own, so that one can be cut off alone. */
export async function labOn(server: RabbitMqServer): Promise<TransportLab> {
  const prefix = freshPrefix();
  const proxies = await Promise.all(Array.from({ length: 4 }, () => TcpProxy.to(server.port)));
  const unused = [...proxies];
  const made = new Map<Transport, TcpProxy>();
  return {
    prefix,
    connect(user) {
      const proxy = unused.pop();
      if (proxy === undefined) throw new Error("this test needs more proxies");
      const name = user === "guest" ? "guest" : "engine";
      const transport = new RabbitMqTransport(optionsFor(server.url(name, proxy.port), prefix));
      made.set(transport, proxy);
      return transport;
    },
    async sever(transport) {
      made.get(transport)?.cut();
    },
    async restore(transport) {
      made.get(transport)?.restore();
    },
    async dispose() {
      await Promise.all([...made.keys()].map((transport) => transport.close()));
      for (const proxy of proxies) proxy.close();
    },
  };
}

/** Passes as soon as `expectation` no longer throws, fails with its error after a minute: brokers restart slowly. */
export function soonEnough(expectation: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(expectation, { timeout: 60_000, interval: 5 });
}

/** The broker's names of the channels with publisher confirms that the engine's user has. */
export async function publishingChannels(server: RabbitMqServer): Promise<readonly string[]> {
  const text = await server.control("list_channels", "confirm", "user", "pid");
  return [...text.matchAll(/^true\tengine\t(\S+)$/gm)].map(([, pid = ""]) => pid);
}
