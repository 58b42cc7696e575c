import { hello } from "../../machines/hello/workflow.ts";
import {
  businessDeadlines,
  cutDeadlines,
  type Deadlines,
  scaleDeadlines,
} from "../../machines/order-to-shipment/deadlines.ts";
import type { Product } from "../../machines/order-to-shipment/order.ts";
import { shopServices } from "../../machines/order-to-shipment/services/shop.ts";
import { orderToShipment } from "../../machines/order-to-shipment/workflow.ts";
import { systemClock } from "../clock.ts";
import { type Configuration, complete, fromEnvironment } from "../configuration.ts";
import type { Observer } from "../observer.ts";
import type { Tracer } from "../tracer.ts";
import { createEngine, type RunningEngine } from "../wiring.ts";
import type { DeadlineChange, RunOptions } from "./options.ts";
import { startService } from "./service-host.ts";

/** The name of the workflow that the shop is about. */
export const shopWorkflow = "order-to-shipment";

/** How long a trial waits for a carrier: a file of orders should end while somebody looks on. */
const trialCarrierDeadline = "5s";

/** The engine with the shop's workflows, and the services that it talks to, all in this process. */
export interface Shop {
  readonly engine: RunningEngine;
  readonly configuration: Configuration;
  /** Settles when broker and store were reached and work has been taken up. */
  readonly opened: Promise<void>;
  stop(): Promise<void>;
}

/** The environment's configuration with what the command line says instead. */
export function configurationOf(
  options: RunOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Configuration {
  const { store, broker, host, port } = options;
  return complete({
    ...fromEnvironment({
      ...environment,
      ...(store !== undefined && { WAYBILL_STORE: store }),
      ...(broker !== undefined && { WAYBILL_BROKER: broker }),
    }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
  });
}

/**
 * Starts the services, then the engine: what the engine publishes anew as it takes up its work would be lost
 * if nobody had bound a queue for it yet. Does not wait for that, as broker or store may be away.
 */
export function openShop(options: {
  readonly configuration: Configuration;
  readonly deadlines: Partial<Deadlines>;
  /** What its stock service knows; `none` leaves all services to other processes. */
  readonly services: { readonly products: readonly Product[] } | "none";
  readonly observer: Observer;
  readonly tracer: Tracer;
  readonly trouble: (line: string) => void;
}): Shop {
  const { configuration, deadlines, services, observer, tracer, trouble } = options;
  const workflows = [hello, orderToShipment(deadlines)];
  const engine = createEngine({ ...configuration, workflows, observer, tracer });
  const stops: (() => Promise<void>)[] = [];

  async function before(): Promise<void> {
    if (services === "none") return;
    const transport = engine.connect("shop");
    stops.unshift(() => transport.close());
    await transport.open();
    for (const service of shopServices(services.products)) {
      const queue = `${configuration.prefix}.shop.${service.name}`;
      const host = await startService({
        transport,
        clock: systemClock,
        tracer,
        service,
        queue,
        trouble,
      });
      stops.unshift(() => host.stop());
    }
  }

  async function stop(): Promise<void> {
    for (const one of stops) await one();
    await engine.stop();
  }

  return { engine, configuration, opened: engine.start({ before }), stop };
}

/** The deadlines that a run asks for; without a wish a trial only waits less for the carrier. */
export function deadlinesOf(change: DeadlineChange | undefined): Partial<Deadlines> {
  if (change === undefined) return { carrierDeadline: trialCarrierDeadline };
  return change.kind === "factor"
    ? scaleDeadlines(businessDeadlines, change.factor)
    : cutDeadlines(businessDeadlines, change.longestMs);
}
