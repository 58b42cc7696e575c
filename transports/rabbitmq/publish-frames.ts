import type { Message } from "../../src/message.ts";
import { ByteWriter } from "./byte-writer.ts";
import { millisecondsHeader, millisecondsOf } from "./envelope.ts";
import type { Posting } from "./posting.ts";
import { propertyFlags as flags } from "./property-flags.ts";

const frameEnd = 0xce;
/** Type, channel, size and end. */
const frameOverheadBytes = 8;
const sizeAt = 3;
const bodySizeAt = 15;
const flagsAt = 19;
/** Of the times that AMQP can tell. */
const longest = 2 ** 64;
const longTextTag = "S".charCodeAt(0);

const always = flags.contentType | flags.headers | flags.deliveryMode | flags.userId;

export interface PublishFramesOptions {
  readonly channel: number;
  /** The longest frame that the broker takes, in bytes. */
  readonly frameMax: number;
  readonly user: string;
}

/**
 * Writes the frames of published messages, byte for byte as the client does: all of a message in one go, and those that
 * go together in one buffer: 1 µs for 300 bytes and all fields.
 */
export class PublishFrames {
  readonly #writer = new ByteWriter();
  readonly #longestFrame: number;
  readonly #longestBody: number;
  readonly #methodStart: Uint8Array;
  readonly #headerStart: Uint8Array;
  readonly #bodyStart: Uint8Array;
  readonly #user: Uint8Array;

  /** @throws RangeError for a user whose name is above 255 bytes */
  constructor({ channel, frameMax, user }: PublishFramesOptions) {
    const start = (type: number): number[] => [type, channel >> 8, channel & 0xff, 0, 0, 0, 0];
    this.#longestFrame = frameMax;
    this.#longestBody = frameMax - frameOverheadBytes;
    // Class and method `basic.publish`, and a ticket that nobody reads.
    this.#methodStart = Uint8Array.from([...start(1), 0, 60, 0, 40, 0, 0]);
    // Class `basic`, weight, length of the body, flags, and the type of every body.
    const header = [...start(2), 0, 60, 0, 0, ...Array.from({ length: 10 }, () => 0)];
    this.#headerStart = Uint8Array.from([...header, ...shortText("application/json")]);
    this.#bodyStart = Uint8Array.from(start(3));
    this.#user = shortText(user);
  }

  /**
   * Adds a message whose short texts fit AMQP; answers the length of its body in bytes.
   * @throws RangeError for a time or headers that have no room, and then adds nothing
   */
  add({ exchange, routingKey, mandatory, message }: Posting): number {
    const writer = this.#writer;
    writer.begin();
    try {
      writer.bytes(this.#methodStart);
      writer.shortText(exchange);
      writer.shortText(routingKey);
      writer.byte(mandatory ? 1 : 0);
      this.#endFrame(0);
      const headerAt = writer.length;
      this.#addHeader(message);
      const bodyBytes = this.#addBody(message.body);
      writer.longAt(headerAt + bodySizeAt, bodyBytes);
      return bodyBytes;
    } catch (error) {
      writer.drop();
      throw error;
    }
  }

  /** What was added since it was taken last. */
  take(): readonly Buffer[] {
    return this.#writer.take();
  }

  #addHeader(message: Message): void {
    const { id, type, correlationId, replyTo, timestamp, appId } = message;
    const writer = this.#writer;
    const frameAt = writer.length;
    let present = always;
    writer.bytes(this.#headerStart);
    this.#addHeaders(message);
    writer.byte(2);
    if (correlationId !== undefined) present |= this.#addText(correlationId, flags.correlationId);
    if (replyTo !== undefined) present |= this.#addText(replyTo, flags.replyTo);
    if (id !== undefined) present |= this.#addText(id, flags.messageId);
    if (timestamp !== undefined) present |= this.#addSeconds(timestamp);
    if (type !== undefined) present |= this.#addText(type, flags.type);
    writer.bytes(this.#user);
    if (appId !== undefined) present |= this.#addText(appId, flags.appId);
    writer.shortAt(frameAt + flagsAt, present);
    this.#endFrame(frameAt);
    if (writer.length - frameAt > this.#longestFrame) throw new RangeError("headers without room");
  }

  #addText(text: string, flag: number): number {
    this.#writer.shortText(text);
    return flag;
  }

  #addSeconds(timestamp: number): number {
    const seconds = Math.floor(timestamp / 1_000);
    if (!(seconds >= 0 && seconds < longest)) throw new RangeError("a time without room");
    this.#writer.long(Math.floor(seconds / 2 ** 32));
    this.#writer.long(seconds % 2 ** 32);
    return flags.timestamp;
  }

  /** A table of texts, in the order that a copy of the headers with the milliseconds would have. */
  #addHeaders({ headers, timestamp }: Message): void {
    const writer = this.#writer;
    const at = writer.length;
    let milliseconds = millisecondsOf(timestamp);
    writer.long(0);
    for (const name in headers) {
      const isMilliseconds = name === millisecondsHeader && milliseconds !== undefined;
      const value = isMilliseconds ? milliseconds : headers[name];
      if (isMilliseconds) milliseconds = undefined;
      if (value !== undefined) this.#addField(name, value);
    }
    if (milliseconds !== undefined) this.#addField(millisecondsHeader, milliseconds);
    writer.longAt(at, writer.length - at - 4);
  }

  #addField(name: string, value: string): void {
    this.#writer.shortText(name);
    this.#writer.byte(longTextTag);
    this.#writer.longText(value);
  }

  #addBody(body: string): number {
    // No character takes more than three bytes per unit of JavaScript's length.
    if (body.length * 3 > this.#longestBody) return this.#addFramesOf(Buffer.from(body));
    if (body === "") return 0;
    const writer = this.#writer;
    const frameAt = writer.length;
    writer.bytes(this.#bodyStart);
    const length = writer.text(body);
    this.#endFrame(frameAt);
    return length;
  }

  #addFramesOf(content: Uint8Array): number {
    const writer = this.#writer;
    for (let at = 0; at < content.length; at += this.#longestBody) {
      const frameAt = writer.length;
      writer.bytes(this.#bodyStart);
      writer.bytes(content.subarray(at, at + this.#longestBody));
      this.#endFrame(frameAt);
    }
    return content.length;
  }

  #endFrame(frameAt: number): void {
    const writer = this.#writer;
    writer.byte(frameEnd);
    writer.longAt(frameAt + sizeAt, writer.length - frameAt - frameOverheadBytes);
  }
}

function shortText(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new RangeError("no room");
  return Uint8Array.from([bytes.length, ...bytes]);
}
