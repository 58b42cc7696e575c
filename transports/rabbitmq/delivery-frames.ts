import type { Headers, Message } from "../../src/message.ts";
import type { Delivery } from "../../src/transport.ts";
import { isTopic, millisecondsHeader, timestampFrom, type Writable } from "./envelope.ts";
import { propertyFlags as flags } from "./property-flags.ts";
import { Words } from "./words.ts";

const frameEnd = 0xce;
const frameStartBytes = 7;
const frameOverheadBytes = 8;
const methodFrame = 1;
const headerFrame = 2;
const bodyFrame = 3;
/** The class, and a weight that is always 0. */
const basic = 60 * 2 ** 16;
const textTag = "S".charCodeAt(0);
const longTag = "l".charCodeAt(0);
const counts = ["x-delivery-count", "x-acquired-count"];
/** Names of headers that are not passed on as they are. */
const special = /^(?:__proto__$|x-(?:delivery|acquired)-count$|x-(?:first|last)-death-)/;

/**
 * Reads deliveries as a broker usually sends them: method, header and one body frame, all there, and headers of text.
 * Whatever is different is left to the client and to `messageFrom`, which makes the same of it.
 */
export class DeliveryFrames {
  readonly #words = new Words();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #channel = 0;
  #present = 0;
  #isOdd = false;
  #redeliveries = 0;
  #milliseconds: string | undefined;

  /** The first byte after the delivery that was read last. */
  get end(): number {
    return this.#at;
  }

  /** The delivery whose method frame, of `basic.deliver`, begins there; undefined to leave it to the client. */
  read(bytes: Buffer, at: number): Delivery | undefined {
    this.#bytes = bytes;
    this.#channel = (bytes[at + 1] ?? 0) * 256 + (bytes[at + 2] ?? 0);
    const headerAt = this.#frameEnd(at, methodFrame);
    const bodyAt = headerAt === 0 ? 0 : this.#frameEnd(headerAt, headerFrame);
    const end = bodyAt === 0 ? 0 : this.#contentEnd(headerAt, bodyAt);
    if (end === 0) return undefined;
    this.#at = at + frameStartBytes + 4;
    this.#skipShort();
    const tag = this.#longLong();
    this.#redeliveries = this.#byte() & 1;
    const exchangeAt = this.#at;
    this.#skipShort();
    this.#skipShort();
    this.#isOdd = this.#at !== headerAt - 1;
    this.#milliseconds = undefined;
    this.#at = headerAt + frameStartBytes + 12;
    const bodyEnd = Math.max(bodyAt, end - 1);
    const body = bytes.toString("utf8", bodyAt + frameStartBytes, bodyEnd);
    const message = this.#message(body, exchangeAt);
    if (this.#isOdd || this.#has(flags.unknown) || this.#at !== bodyAt - 1) return undefined;
    this.#at = end;
    return { message, tag, redeliveries: this.#redeliveries };
  }

  #message(body: string, exchangeAt: number): Message {
    this.#present = this.#byte() * 256 + this.#byte();
    this.#skipShortIf(flags.contentType);
    this.#skipShortIf(flags.contentEncoding);
    const headers = this.#has(flags.headers) ? this.#headers() : undefined;
    this.#skipByteIf(flags.deliveryMode);
    this.#skipByteIf(flags.priority);
    const correlationId = this.#shortTextIf(flags.correlationId);
    const replyTo = this.#wordIf(flags.replyTo);
    this.#skipShortIf(flags.expiration);
    const id = this.#shortTextIf(flags.messageId);
    const seconds = this.#has(flags.timestamp) ? this.#longLong() : undefined;
    const type = this.#wordIf(flags.type) ?? this.#typeFrom(exchangeAt);
    const userId = this.#wordIf(flags.userId);
    const appId = this.#wordIf(flags.appId);
    this.#skipShortIf(flags.clusterId);
    const message: Writable<Message> = { body };
    if (id !== undefined) message.id = id;
    if (type !== undefined) message.type = type;
    if (correlationId !== undefined) message.correlationId = correlationId;
    if (replyTo !== undefined) message.replyTo = replyTo;
    if (appId !== undefined) message.appId = appId;
    if (userId !== undefined) message.userId = userId;
    if (seconds !== undefined) message.timestamp = timestampFrom(seconds, this.#milliseconds);
    if (headers !== undefined) message.headers = headers;
    return message;
  }

  #headers(): Headers | undefined {
    const headers: Record<string, string> = {};
    let found = false;
    const length = this.#long();
    const end = this.#at + length;
    while (this.#at < end && !this.#isOdd) {
      const name = this.#word();
      const tag = this.#byte();
      if (tag === longTag && counts.includes(name)) this.#count();
      else if (tag !== textTag || special.test(name)) this.#isOdd = true;
      else if (name === millisecondsHeader) this.#milliseconds = this.#longText();
      else {
        headers[name] = this.#longText();
        found = true;
      }
    }
    if (this.#at !== end) this.#isOdd = true;
    return found ? headers : undefined;
  }

  #count(): void {
    const count = this.#longLong();
    // Signed, and no broker has counted that far.
    if (count >= 2 ** 63) this.#isOdd = true;
    this.#redeliveries = Math.max(this.#redeliveries, count);
  }

  /** What some clients cannot set is the routing key, where both are the same. */
  #typeFrom(exchangeAt: number): string | undefined {
    const back = this.#at;
    this.#at = exchangeAt;
    const exchange = this.#word();
    const type = isTopic(exchange) ? this.#word() : undefined;
    this.#at = back;
    return type;
  }

  /** Where a whole frame of this type and channel ends that begins there, or 0. */
  #frameEnd(at: number, type: number): number {
    const bytes = this.#bytes;
    this.#at = at;
    if (this.#byte() !== type || this.#byte() * 256 + this.#byte() !== this.#channel) return 0;
    const end = at + this.#long() + frameOverheadBytes;
    return bytes[end - 1] === frameEnd ? end : 0;
  }

  /** Where the one body frame ends that holds the whole body, or the header frame of an empty one; 0 for another. */
  #contentEnd(headerAt: number, bodyAt: number): number {
    this.#at = headerAt + frameStartBytes;
    const isBasic = this.#long() === basic;
    const size = this.#longLong();
    if (!isBasic) return 0;
    if (size === 0) return bodyAt;
    const end = this.#frameEnd(bodyAt, bodyFrame);
    return end - bodyAt - frameOverheadBytes === size ? end : 0;
  }

  #byte(): number {
    const value = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return value;
  }

  #long(): number {
    const high = this.#byte() * 2 ** 24;
    return high + ((this.#byte() << 16) | (this.#byte() << 8) | this.#byte());
  }

  #longLong(): number {
    return this.#long() * 2 ** 32 + this.#long();
  }

  #skipShort(): void {
    const length = this.#byte();
    this.#at += length;
  }

  #has(flag: number): boolean {
    return (this.#present & flag) !== 0;
  }

  #skipByteIf(flag: number): void {
    if (this.#has(flag)) this.#at += 1;
  }

  #skipShortIf(flag: number): void {
    if (this.#has(flag)) this.#skipShort();
  }

  #wordIf(flag: number): string | undefined {
    return this.#has(flag) ? this.#word() : undefined;
  }

  #shortTextIf(flag: number): string | undefined {
    return this.#has(flag) ? this.#text(this.#byte()) : undefined;
  }

  #word(): string {
    const length = this.#byte();
    const from = this.#at;
    const known = this.#words.find(this.#bytes, from, from + length);
    if (known === undefined) {
      const text = this.#text(length);
      this.#words.keep(text, this.#bytes, from);
      return text;
    }
    this.#at += length;
    return known;
  }

  #longText(): string {
    return this.#text(this.#long());
  }

  #text(length: number): string {
    const from = this.#at;
    this.#at += length;
    const text = this.#bytes.toString("utf8", from, this.#at);
    // What is not UTF-8 means nothing.
    if (text.includes("\ufffd")) this.#isOdd = true;
    return text;
  }
}
