/** Room for some hundred messages; one allocation for all of them. */
const pageBytes = 64 * 1_024;
/** A call out of JavaScript takes 80 ns, a character in it 2.5 ns. */
const longestInScript = 28;
/** Three bytes for each unit of JavaScript's length are kept free, unless that would leave much of a page empty. */
const longestGuessed = 1_024;

/**
 * Puts bytes one after another into pages that are used up and never used again: what was taken may still be on its
 * way. A piece, from `begin` on, stays in one page.
 */
export class ByteWriter {
  #page = Buffer.allocUnsafeSlow(pageBytes);
  #taken = 0;
  #begun = 0;
  #at = 0;
  #full: Buffer[] = [];

  begin(): void {
    this.#begun = this.#at;
  }

  /** Forgets what was put since `begin`. */
  drop(): void {
    this.#at = this.#begun;
  }

  /** How many bytes were put since `begin`. */
  get length(): number {
    return this.#at - this.#begun;
  }

  byte(value: number): void {
    this.#makeRoom(1);
    this.#page[this.#at] = value;
    this.#at += 1;
  }

  /** A whole number below 2^32, the highest byte first. */
  long(value: number): void {
    this.#makeRoom(4);
    this.#put(this.#at, value);
    this.#at += 4;
  }

  bytes(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#page.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /**
   * Text behind the number of its bytes, up to 255.
   * @throws RangeError for a longer one
   */
  shortText(text: string): void {
    this.byte(0);
    const length = this.text(text);
    if (length > 255) throw new RangeError("a short text that is long");
    this.#page[this.#at - length - 1] = length;
  }

  /** Text behind the number of its bytes. */
  longText(text: string): void {
    this.long(0);
    const length = this.text(text);
    this.#put(this.#at - length - 4, length);
  }

  /** Text as UTF-8; answers how many bytes that is. */
  text(text: string): number {
    const { length } = text;
    this.#makeRoom(length <= longestGuessed ? length * 3 : Buffer.byteLength(text));
    const written =
      length <= longestInScript && this.#isPlain(text) ? length : this.#page.write(text, this.#at);
    this.#at += written;
    return written;
  }

  /** Writes a `long` over what is at this distance from `begin`. */
  longAt(distance: number, value: number): void {
    this.#put(this.#begun + distance, value);
  }

  /** Writes two bytes over what is at this distance from `begin`. */
  shortAt(distance: number, value: number): void {
    this.#page[this.#begun + distance] = value >>> 8;
    this.#page[this.#begun + distance + 1] = value;
  }

  /** What was put since it was taken last. */
  take(): Buffer[] {
    const taken = this.#full;
    if (this.#at > this.#taken) taken.push(this.#page.subarray(this.#taken, this.#at));
    this.#taken = this.#at;
    this.#begun = this.#at;
    this.#full = [];
    return taken;
  }

  /** Puts text down, unless it is more than ASCII. */
  #isPlain(text: string): boolean {
    const page = this.#page;
    const at = this.#at;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      page[at + index] = code;
    }
    return true;
  }

  #put(at: number, value: number): void {
    const page = this.#page;
    page[at] = value >>> 24;
    page[at + 1] = value >>> 16;
    page[at + 2] = value >>> 8;
    page[at + 3] = value;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes > this.#page.length) this.#turnPage(bytes);
  }

  #turnPage(bytes: number): void {
    const old = this.#page;
    const { length } = this;
    if (this.#begun > this.#taken) this.#full.push(old.subarray(this.#taken, this.#begun));
    this.#page = Buffer.allocUnsafeSlow(Math.max(pageBytes, (length + bytes) * 2));
    old.copy(this.#page, 0, this.#begun, this.#at);
    this.#taken = 0;
    this.#begun = 0;
    this.#at = length;
  }
}
