import type { ToolListFilter } from './toolListFilter.ts';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const DATA = [...Buffer.from('data')];

/**
 * Takes a stream of events (the HTML standard, "Server-sent events"), in pieces of any size, and gives the data of each
 * event to a filter as one JSON. All else, and how the data are put into lines, passes as it is.
 */
export class EventStreamFilter {
  readonly #data: ToolListFilter;
  /** How much of a byte order mark was there; -1 behind it. There may be several, each taken by another layer. */
  #mark = 0;
  /** How many bytes of the line are those of the name `data`; -1 when its name is another one, or none. */
  #name = 0;
  #isData = false;
  #isEmptyLine = true;
  /** Whether the last byte was a CR: an LF then ends no further line. */
  #isAfterCr = false;

  constructor(data: ToolListFilter) {
    this.#data = data;
  }

  write(source: Buffer, start: number, end: number): void {
    let at = start;
    let nextCr = -1;
    while (at < end) {
      if (!this.#isData) {
        const from = at;
        while (at < end && !this.#isData) {
          this.#takeByte(source[at] ?? 0);
          at += 1;
        }
        this.#data.writeFraming(source, from, at);
      } else {
        const nextLf = source.indexOf(LF, at);
        if (nextCr < at) nextCr = source.indexOf(CR, at);
        if (nextCr === -1) nextCr = end;
        const lineEnd = Math.min(nextLf === -1 ? end : nextLf, nextCr, end);
        this.#data.write(source, at, lineEnd);
        at = lineEnd;
        if (at < end) this.#isData = false;
      }
    }
  }

  /** Takes a byte that is not in the value of a data field. */
  #takeByte(byte: number): void {
    const isAfterCr = this.#isAfterCr;
    this.#isAfterCr = byte === CR;
    if (this.#mark >= 0) {
      if (byte === BYTE_ORDER_MARK[this.#mark]) {
        this.#mark = (this.#mark + 1) % BYTE_ORDER_MARK.length;
        return;
      }
      if (this.#mark > 0) this.#name = -1;
      this.#mark = -1;
    }
    if (byte === LF && isAfterCr) return;
    if (byte === LF || byte === CR) {
      if (this.#isEmptyLine) this.#data.end();
      this.#isEmptyLine = true;
      this.#name = 0;
      return;
    }
    this.#isEmptyLine = false;
    if (byte === COLON && this.#name === DATA.length) this.#isData = true;
    this.#name = byte === DATA[this.#name] ? this.#name + 1 : -1;
  }
}
