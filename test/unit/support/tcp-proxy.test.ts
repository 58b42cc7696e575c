import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { reset } from "../../support/tcp-proxy.ts";

test.for([
  ["stands", false],
  ["is being ended", true],
] as const)("a connection that %s is closed by a reset", async ([, isEnding]) => {
  const server = createServer((socket) => socket.on("error", () => undefined).resume());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");

  const closed = once(socket, "close", { signal: AbortSignal.timeout(2_000) });
  if (isEnding) socket.end();
  reset(socket);

  await expect(closed).resolves.toEqual([false]);
  server.close();
});
