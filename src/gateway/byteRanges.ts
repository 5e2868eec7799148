interface ByteRange {
  readonly source: Buffer;
  start: number;
  end: number;
  readonly isFraming: boolean;
}

/** Ranges of buffers one after the other, without a copy as long as they adjoin. */
export class ByteRanges {
  #ranges: ByteRange[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param isFraming whether they are around the text. */
  add(source: Buffer, start: number, end: number, isFraming = false): void {
    if (start >= end) return;
    this.#size += end - start;
    const last = this.#ranges.at(-1);
    if (last?.source === source && last.end === start && last.isFraming === isFraming) last.end = end;
    else this.#ranges.push({ source, start, end, isFraming });
  }

  /** Adds all of `other`, or only its framing, as text of this. */
  addAll(other: ByteRanges, onlyFraming = false): void {
    for (const { source, start, end, isFraming } of other.#ranges) {
      if (isFraming || !onlyFraming) this.add(source, start, end);
    }
  }

  /** Leaves out the first byte that is no framing. */
  dropFirstByte(): void {
    const first = this.#ranges.find(({ isFraming }) => !isFraming);
    if (first !== undefined) first.start += 1;
  }

  /** What is no framing. */
  text(): string {
    return join(this.#ranges.filter(({ isFraming }) => !isFraming)).toString();
  }

  clear(): void {
    this.#ranges = [];
    this.#size = 0;
  }

  /** All bytes; none are left. */
  take(): Buffer {
    const bytes = join(this.#ranges);
    this.clear();
    return bytes;
  }
}

function join(ranges: readonly ByteRange[]): Buffer {
  const parts = ranges.map(({ source, start, end }) => source.subarray(start, end));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}
