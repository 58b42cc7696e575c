import type { Transport } from "../../src/transport.ts";
import type { MemoryTransport } from "../../transports/memory/transport.ts";
import type { TransportLab } from "./transport-lab.ts";

/** A lab over the transports that `connect` makes; `after` runs when they are closed. */
export function connectionsTo(
  connect: (options: { readonly user: string }) => MemoryTransport,
  after: () => Promise<void> = async () => {},
): TransportLab {
  const made = new Map<Transport, MemoryTransport>();
  return {
    prefix: "test",
    connect(user) {
      const transport = connect({ user });
      made.set(transport, transport);
      return transport;
    },
    async sever(transport) {
      await made.get(transport)?.sever("the test pulled the plug");
    },
    async restore(transport) {
      await made.get(transport)?.restore();
    },
    async dispose() {
      await Promise.all([...made.keys()].map((transport) => transport.close()));
      await after();
    },
  };
}
