/** A process that writes to the file named by its first argument and prints the id of all that was confirmed. */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";
import { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { openEmbeddedBroker } from "../../transports/embedded/broker.ts";
import { Owner, writeOf } from "../contracts/store-lab.ts";

const [, , path = "", run = ""] = process.argv;
const file = new SqliteFile(path, { clock: systemClock });
const store = new SqliteStore(file, { clock: { now: () => systemClock.wall() } });
await store.open({ partitions: 4 });
const owner = await Owner.of(store);
const transport = openEmbeddedBroker(file, { clock: systemClock }).connect({ user: "engine" });
await transport.open();
await transport.declare({ queues: [{ name: "mail", kind: "partition" }], bindings: [] });

/** Goes past the buffers of the process: what the parent has not read is not counted as confirmed. */
function say(what: string): void {
  writeSync(1, `${what}\n`);
}

async function commitForEver(writer: number): Promise<never> {
  for (let number = 1; ; number += 1) {
    const key = `order/${run}-${writer}-${number}`;
    await owner.write(writeOf(key, { history: ["began"], inbox: [{ id: "m" }] }));
    say(`instance ${key}`);
  }
}

async function publishForEver(writer: number): Promise<never> {
  for (let number = 1; ; number += 1) {
    const body = `${run}-${writer}-${number}`;
    const [confirmation] = await transport.publish([
      { exchange: "", routingKey: "mail", message: { body } },
    ]);
    if (confirmation === "confirmed") say(`message ${body}`);
  }
}

await Promise.all(
  [1, 2, 3, 4].flatMap((writer) => [commitForEver(writer), publishForEver(writer)]),
);
