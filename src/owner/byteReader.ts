import type { Duplex } from 'node:stream';

interface Wanted {
  readonly length: number;
  readonly resolve: (bytes: Buffer | undefined) => void;
}

/** Reads a stream by numbers of bytes, from its beginning to its end. Nothing is read ahead of what is asked for. */
export class ByteReader {
  readonly stream: Duplex;
  #chunks: Buffer[] = [];
  #length = 0;
  #wanted: Wanted | undefined;
  #hasEnded = false;

  constructor(stream: Duplex) {
    this.stream = stream;
    const end = (): void => {
      this.#hasEnded = true;
      this.#look();
    };
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#look();
    });
    stream.on('end', end);
    stream.on('close', end);
    // Its end follows.
    stream.on('error', () => undefined);
    stream.pause();
  }

  /** How many bytes have come that nobody has asked for. */
  get unread(): number {
    return this.#length;
  }

  /** The next so many bytes; undefined when the stream ends before that. One call at a time. */
  async read(length: number): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      this.#wanted = { length, resolve };
      this.#look();
    });
  }

  #look(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    if (this.#length < wanted.length && !this.#hasEnded) {
      this.stream.resume();
      return;
    }
    this.#wanted = undefined;
    this.stream.pause();
    wanted.resolve(this.#length < wanted.length ? undefined : this.#take(wanted.length));
  }

  #take(length: number): Buffer {
    const [first, ...others] = this.#chunks;
    // Many short messages come in one chunk, which is not to be copied for each of them.
    const isInFirst = first !== undefined && first.length >= length;
    const all = isInFirst ? first : Buffer.concat(this.#chunks);
    const rest = all.length === length ? [] : [all.subarray(length)];
    this.#chunks = isInFirst ? [...rest, ...others] : rest;
    this.#length -= length;
    return all.subarray(0, length);
  }
}
