import { describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { MemoryBroker } from "../../transports/memory/broker.ts";
import { MemoryTransport } from "../../transports/memory/transport.ts";
import { connectionsTo } from "./memory-connections.ts";
import { transportContract } from "./transport-contract.ts";

describe("the memory transport", () => {
  transportContract(async () => {
    const broker = new MemoryBroker({ clock: systemClock });
    return connectionsTo((options) => new MemoryTransport(broker, options));
  });
});
