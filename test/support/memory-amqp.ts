import { createRequire } from "node:module";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { ChannelModel } from "amqplib";

type Fields = Readonly<Record<string, unknown>>;

interface Connection {
  on(event: string, listener: (error: Error) => void): void;
  open(fields: Fields, opened: (error: Error | null) => void): void;
}

interface Definitions {
  readonly [name: string]: unknown;
  encodeMethod(method: unknown, channel: number, fields: Fields): Buffer;
  encodeProperties(kind: unknown, channel: number, size: number, fields: Fields): Buffer;
}

interface Decoded {
  readonly fields?: unknown;
  readonly content?: Buffer;
}

// What the client does not show; a test may see whether ours is the same.
const load = createRequire(import.meta.url);
const client = join(load.resolve("amqplib"), "../lib");
const definitions = load(join(client, "defs.js")) as Definitions;
const framing = load(join(client, "frame.js")) as {
  parseFrame(bytes: Buffer, maxBytes: number): { readonly rest: Buffer } | false;
  decodeFrame(frame: object): Decoded;
};
const { Connection } = load(join(client, "connection.js")) as {
  readonly Connection: new (socket: Duplex) => Connection;
};
const { ChannelModel: Model } = load(join(client, "channel_model.js")) as {
  readonly ChannelModel: new (connection: Connection) => ChannelModel;
};

/** How the broker answers what a client asks for. */
const answers: Readonly<Record<string, readonly [answer: string, fields: Fields]>> = {
  ConnectionOpen: ["ConnectionOpenOk", {}],
  ConnectionClose: ["ConnectionCloseOk", {}],
  ChannelOpen: ["ChannelOpenOk", {}],
  ChannelClose: ["ChannelCloseOk", {}],
  ConfirmSelect: ["ConfirmSelectOk", {}],
  BasicQos: ["BasicQosOk", {}],
  BasicConsume: ["BasicConsumeOk", { consumerTag: "one" }],
};
const named = new Map(
  ["BasicPublish", "BasicAck", "ConnectionStartOk", ...Object.keys(answers)].map((name) => [
    definitions[name],
    name,
  ]),
);

export interface Frame {
  readonly type: number;
  readonly channel: number;
  /** Of a method frame. */
  readonly method: string | undefined;
  /** All of it, from type to end. */
  readonly bytes: Buffer;
}

/** The broker's end of a connection, in memory: keeps what it gets, and says what a test wants it to. */
export class MemoryAmqp extends Duplex {
  readonly frames: Frame[] = [];
  /** How many pieces it has got. */
  pieces = 0;
  /** Takes what comes, and answers nothing. */
  isSilent = false;
  readonly #frameMax: number;
  #rest = Buffer.alloc(0);

  constructor(frameMax = 131_072) {
    super();
    this.#frameMax = frameMax;
  }

  override _read(): void {
    // Whatever there is was pushed already.
  }

  override _write(bytes: Buffer, _: unknown, done: () => void): void {
    this.pieces += 1;
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (this.#rest.subarray(0, 4).toString() === "AMQP") this.#start();
    for (;;) {
      const size = this.#rest.length < 8 ? Infinity : this.#rest.readUInt32BE(3) + 8;
      if (this.#rest.length < size) break;
      this.#take(this.#rest.subarray(0, size));
      this.#rest = this.#rest.subarray(size);
    }
    done();
  }

  /** The bytes of everything that was published. */
  published(): Buffer {
    const first = this.frames.findIndex(({ method }) => method === "BasicPublish");
    const frames = first < 0 ? [] : this.frames.slice(first);
    return Buffer.concat(frames.map(({ bytes }) => bytes));
  }

  count(method: string): number {
    return this.frames.filter((frame) => frame.method === method).length;
  }

  say(method: string, channel: number, fields: Fields): void {
    this.push(definitions.encodeMethod(definitions[method], channel, fields));
  }

  #start(): void {
    this.#rest = this.#rest.subarray(8);
    const mechanisms = Buffer.from("PLAIN");
    this.say("ConnectionStart", 0, { serverProperties: {}, mechanisms, locales: mechanisms });
  }

  #take(bytes: Buffer): void {
    const [type = 0] = bytes;
    const channel = bytes.readUInt16BE(1);
    const method = type === 1 ? named.get(bytes.readUInt32BE(7)) : undefined;
    this.frames.push({ type, channel, method, bytes });
    const tune = { channelMax: 10, frameMax: this.#frameMax, heartbeat: 0 };
    if (method === "ConnectionStartOk") this.say("ConnectionTune", 0, tune);
    const [answer, fields] = answers[method ?? ""] ?? [];
    if (answer !== undefined && !this.isSilent) this.say(answer, channel, fields ?? {});
  }
}

/** The client, connected to a broker in memory. */
export async function connectedTo(broker: MemoryAmqp): Promise<ChannelModel> {
  const connection = new Connection(broker);
  const wishes = { mechanism: "PLAIN", response: Buffer.from(""), locale: "", virtualHost: "/" };
  const limits = { frameMax: 0, channelMax: 0, heartbeat: 0 };
  await new Promise<void>((resolve, reject) => {
    const properties = { clientProperties: {}, capabilities: "", insist: 0 };
    connection.open({ ...wishes, ...limits, ...properties }, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  return new Model(connection);
}

/** The frames of a message as a broker sends them: its header, and its body in pieces. */
export function contentFrames(
  channel: number,
  content: Buffer,
  options: { readonly properties: Fields; readonly pieceBytes?: number },
): Buffer {
  const { properties, pieceBytes = Infinity } = options;
  const kind = definitions["BasicProperties"];
  const frames = [definitions.encodeProperties(kind, channel, content.length, properties)];
  for (let at = 0; at < content.length; at += pieceBytes) {
    const piece = content.subarray(at, at + pieceBytes);
    const start = Buffer.from([3, 0, channel, 0, 0, 0, 0]);
    start.writeUInt32BE(piece.length, 3);
    frames.push(start, piece, Buffer.from([0xce]));
  }
  return Buffer.concat(frames);
}

export function methodFrame(method: string, channel: number, fields: Fields): Buffer {
  return definitions.encodeMethod(definitions[method], channel, fields);
}

/** What the client makes of whole frames; it throws for some. */
export function readByClient(bytes: Buffer): Decoded[] {
  const decoded: Decoded[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const frame = framing.parseFrame(rest, 0);
    if (frame === false) break;
    decoded.push(framing.decodeFrame(frame));
    rest = frame.rest;
  }
  return decoded;
}
