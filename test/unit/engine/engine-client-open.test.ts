import { describe, expect, it } from "vitest";
import { enginePorts } from "../../../src/engine/engine.ts";
import { textOf } from "../../../src/engine/ports.ts";
import { EngineClient } from "../../../src/engine/requests/engine-client.ts";
import type { Store } from "../../../src/store.ts";
import type { Transport } from "../../../src/transport.ts";
import { HandClock, settled } from "../../support/hand-clock.ts";

function clientOn(store: Partial<Store>, clock: HandClock): EngineClient {
  const transport = {
    declare: async () => undefined,
    publish: async () => ["confirmed"],
    consume: async () => ({ ack: () => undefined, close: async () => undefined }),
  } as unknown as Transport;
  const ports = enginePorts({ workflows: [], store: store as Store, transport, clock });
  return new EngineClient({ ports, durability: () => ({ level: "memory" }) as never });
}

describe("a client that opens", () => {
  it("waits for a store that has just gone away", async () => {
    const clock = new HandClock(0);
    let asked = 0;
    const now = async () => {
      asked += 1;
      if (asked < 5) throw new Error("no master");
      return 5_000;
    };
    const opening = clientOn({ now }, clock).open();
    await settled();
    await clock.pass(10_000);
    await opening;
    expect(asked).toBe(5);
  });

  it("gives up on one that stays away", async () => {
    const clock = new HandClock(0);
    const now = async () => {
      throw new Error("no master");
    };
    const opening = clientOn({ now }, clock).open();
    const refused = opening.catch(textOf);
    await settled();
    await clock.pass(60_000);
    expect(await refused).toBe("no master");
  });
});
