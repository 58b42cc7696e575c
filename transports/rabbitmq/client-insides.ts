import type { Channel } from "amqplib";

/** AMQP allows no broker to take less. */
const smallestFrameMax = 4_096;

/** What of the client is needed to put frames on a channel as the client does itself. */
export interface Insides {
  readonly channelNumber: number;
  /** The longest frame that the broker takes, in bytes. */
  readonly frameMax: number;
  /** False from the moment that the client itself would refuse to send on the channel. */
  readonly isOpen: () => boolean;
  /** Queues whole frames behind those that the client has queued on the channel. */
  readonly write: (frames: Uint8Array) => void;
}

interface ClientConnection {
  readonly frameMax: number;
  readonly channels: readonly unknown[];
  readonly sendMessage: unknown;
  sentSinceLastCheck: boolean;
}

interface ClientChannel {
  readonly ch: number;
  readonly connection: ClientConnection;
  readonly sendMessage: unknown;
}

interface Queue {
  write(frames: Uint8Array): boolean;
}

/** The insides of an open channel; undefined where the client looks different. */
export function insidesOf(channel: Channel): Insides | undefined {
  const client: unknown = channel;
  if (!isClientChannel(client)) return undefined;
  const { ch: channelNumber, connection, sendMessage } = client;
  const sendOnConnection = connection.sendMessage;
  const place = connection.channels[channelNumber];
  const queue = memberOf(place, "buffer");
  if (memberOf(place, "channel") !== channel || !isQueue(queue)) return undefined;
  return {
    channelNumber,
    frameMax: connection.frameMax,
    // What is on its way down gets other functions, which throw.
    isOpen: () => client.sendMessage === sendMessage && connection.sendMessage === sendOnConnection,
    write: (frames) => {
      connection.sentSinceLastCheck = true;
      queue.write(frames);
    },
  };
}

/** A member that the client's types do not tell of; undefined where there is none. */
export function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? Reflect.get(holder, name) : undefined;
}

function isClientChannel(value: unknown): value is ClientChannel {
  const connection = memberOf(value, "connection");
  const frameMax = memberOf(connection, "frameMax");
  return (
    typeof memberOf(value, "ch") === "number" &&
    typeof memberOf(value, "sendMessage") === "function" &&
    typeof memberOf(connection, "sendMessage") === "function" &&
    typeof memberOf(connection, "sentSinceLastCheck") === "boolean" &&
    typeof frameMax === "number" &&
    frameMax >= smallestFrameMax &&
    Array.isArray(memberOf(connection, "channels"))
  );
}

function isQueue(value: unknown): value is Queue {
  return typeof memberOf(value, "write") === "function";
}
