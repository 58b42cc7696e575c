/** A process that a message kills in the turn after it was handed out; it prints how often that happened before. */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";
import { openEmbeddedBroker } from "../../transports/embedded/broker.ts";

const [, , path = "", body = ""] = process.argv;
const file = new SqliteFile(path, { clock: systemClock });
const transport = openEmbeddedBroker(file, { clock: systemClock }).connect({ user: "engine" });
await transport.open();
await transport.declare({ queues: [{ name: "mail", kind: "partition" }], bindings: [] });
if (body !== "") await transport.publish([{ exchange: "", routingKey: "mail", message: { body } }]);
await transport.consume({
  queue: "mail",
  prefetch: 1,
  lost: () => undefined,
  deliver: ({ redeliveries }) => {
    writeSync(1, `${redeliveries}`);
    systemClock.soon(() => process.kill(process.pid, "SIGKILL"));
  },
});
