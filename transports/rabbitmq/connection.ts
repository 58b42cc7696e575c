import { type ChannelModel, connect } from "amqplib";
import type { Cancel } from "../../src/clock.ts";
import type { Address } from "./address.ts";
import { corkFrames, destroySocket } from "./cork.ts";
import type { RabbitMqLimits, RabbitMqOptions } from "./options.ts";
import { connectRefusal } from "./refusals.ts";

export type ConnectOptions = Pick<RabbitMqOptions, "clock" | "tls"> & {
  readonly limits: RabbitMqLimits;
};

/**
 * Opens one connection under a name that the broker's management shows; tells `ended` when it ends, for whatever reason.
 * @throws WaybillError `login-refused`, `vhost-refused`, `unreachable`
 */
export async function openConnection(
  address: Address,
  name: string,
  options: ConnectOptions & { readonly ended: (reason: string) => void },
): Promise<ChannelModel> {
  const { connectDeadlineMs, heartbeatSeconds } = options.limits;
  const connecting = connect(
    { ...address, heartbeat: heartbeatSeconds },
    {
      ...options.tls,
      // The client leaves Nagle's algorithm on: 40 ms for each publish that waits for an answer.
      noDelay: true,
      keepAlive: true,
      timeout: connectDeadlineMs,
      clientProperties: { connection_name: name },
    },
  );
  let cancel: Cancel | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = new Error(`no answer within ${connectDeadlineMs} ms`);
    cancel = options.clock.after(connectDeadlineMs, () => reject(late));
  });
  try {
    const connection = await Promise.race([connecting, deadline]);
    listen(connection, options.ended);
    corkFrames(connection);
    return connection;
  } catch (error) {
    void connecting.then(abandon, () => undefined);
    throw connectRefusal(error, address);
  } finally {
    cancel?.();
  }
}

/** Says good-bye, and hangs up when there is no answer in time. */
export function hangUp(connection: ChannelModel, options: ConnectOptions): Promise<void> {
  const { clock, limits } = options;
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      destroySocket(connection);
      resolve();
    };
    const cancel = clock.after(limits.closeDeadlineMs, end);
    connection.close().then(end, end);
  });
}

function listen(connection: ChannelModel, ended: (reason: string) => void): void {
  let first: Error | undefined;
  // Without a listener an `error` would kill the process.
  connection.on("error", (error) => {
    first ??= error;
  });
  connection.on("handler-error", () => undefined);
  connection.on("close", (error) => {
    ended((first ?? error)?.message ?? "the connection was closed");
  });
}

/** Of a connection that came after its deadline. */
function abandon(connection: ChannelModel): void {
  listen(connection, () => undefined);
  destroySocket(connection);
}
