import { ByteRanges } from './byteRanges.ts';
import { isJson, jsonMembers, jsonString, skipSpace } from './jsonText.ts';
import { isToolAllowed } from './localAccess.ts';

/** A tool that is larger is left out: nobody has allowed one like this. */
const LARGEST_TOOL_BYTES = 1024 * 1024;
/** Longer than `result` or `tools` can be, however they are escaped. */
const LONGEST_KEY_BYTES = 36;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Where the next byte is: around messages (in a batch, or not), in one, in its `result`, or in the `tools` of that. */
type Place = 'outside' | 'message' | 'result' | 'tools';

/**
 * Takes JSON as it comes, in pieces of any size, and leaves out of the array `result.tools` of each message what is no
 * tool that is allowed. It judges a tool when it has all of it, and holds nothing else; so it needs no bound for answers,
 * and no JSON that is right. What is no JSON passes as it is.
 */
export class ToolListFilter {
  readonly #allowed: readonly string[];
  readonly #passed = new ByteRanges();
  #place: Place = 'outside';
  /** How deep the next byte is in a value that is of no interest, or in a tool. */
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Whether a string that begins now is a key. */
  #isKeyNext = false;
  /** The key that is being read. */
  #keyBytes: number[] | undefined;
  #key = '';
  /** The tool that is being read, with the comma before it. */
  readonly #tool = new ByteRanges();
  #isTooLarge = false;
  #hasTool = false;

  constructor(allowed: readonly string[]) {
    this.#allowed = allowed;
  }

  /** Takes the bytes of JSON from `start` to before `end`. They must not change any more. */
  write(source: Buffer, start: number, end: number): void {
    let from = start;
    for (let at = start; at < end; at += 1) {
      const byte = source[at] ?? 0;
      if (this.#isInString) {
        this.#takeStringByte(byte);
      } else if (byte === QUOTE) {
        this.#isInString = true;
        if (this.#depth === 0 && this.#isKeyNext) this.#keyBytes = [];
      } else if (this.#depth > 0) {
        if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1;
        else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) this.#depth -= 1;
      } else if (this.#place === 'tools') {
        if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
          this.#depth = 1;
        } else if (byte === COMMA || byte === CLOSE_ARRAY) {
          this.#hold(source, from, at);
          this.#judge();
          from = at;
          if (byte === CLOSE_ARRAY) this.#enter('result', false);
        }
      } else if (this.#takesList(byte)) {
        this.#passed.add(source, from, at + 1);
        from = at + 1;
      }
    }
    if (this.#place === 'tools') this.#hold(source, from, end);
    else this.#passed.add(source, from, end);
  }

  /** Takes bytes that are around the JSON, or between its bytes, and always pass. */
  writeFraming(source: Buffer, start: number, end: number): void {
    if (this.#place === 'tools' && !this.#isTooLarge) this.#hold(source, start, end, true);
    else this.#passed.add(source, start, end);
  }

  /** The JSON has ended; what comes next is another one. A tool that is not complete is left out. */
  end(): void {
    if (this.#place === 'tools') this.#drop();
    this.#place = 'outside';
    this.#depth = 0;
    this.#isInString = false;
    this.#isEscaped = false;
    this.#isKeyNext = false;
    this.#keyBytes = undefined;
    this.#isTooLarge = false;
  }

  /** What passes of all that was taken since the last call. */
  read(): Buffer {
    return this.#passed.take();
  }

  #takeStringByte(byte: number): void {
    if (this.#isEscaped) {
      this.#isEscaped = false;
    } else if (byte === BACKSLASH) {
      this.#isEscaped = true;
    } else if (byte === QUOTE) {
      this.#isInString = false;
      if (this.#keyBytes !== undefined) this.#key = unescapeKey(this.#keyBytes);
      this.#keyBytes = undefined;
      return;
    }
    if (this.#keyBytes !== undefined && this.#keyBytes.length <= LONGEST_KEY_BYTES) this.#keyBytes.push(byte);
  }

  /** Takes a byte outside strings, of a message or its result; gives whether it begins the list of tools. */
  #takesList(byte: number): boolean {
    const place = this.#place;
    if (place === 'outside') {
      // Arrays around a message are batches, which need not be told from a message alone.
      if (byte === OPEN_OBJECT) this.#enter('message', true);
    } else if (byte === COMMA || byte === COLON) {
      this.#isKeyNext = byte === COMMA;
    } else if (byte === CLOSE_OBJECT) {
      this.#enter(place === 'result' ? 'message' : 'outside', false);
    } else if (byte === OPEN_OBJECT) {
      if (place === 'message' && this.#key === 'result') this.#enter('result', true);
      else this.#depth = 1;
    } else if (byte === OPEN_ARRAY) {
      if (place !== 'result' || this.#key !== 'tools') {
        this.#depth = 1;
        return false;
      }
      this.#enter('tools', false);
      this.#hasTool = false;
      return true;
    }
    return false;
  }

  #enter(place: Place, isKeyNext: boolean): void {
    this.#place = place;
    this.#isKeyNext = isKeyNext;
  }

  #hold(source: Buffer, start: number, end: number, isFraming = false): void {
    if (this.#isTooLarge) return;
    this.#tool.add(source, start, end, isFraming);
    if (this.#tool.size <= LARGEST_TOOL_BYTES) return;
    this.#drop();
    this.#isTooLarge = true;
  }

  /** Lets what is held pass, or leaves it out. */
  #judge(): void {
    const text = this.#tool.text();
    const isNone = text.trim() === '';
    if (!this.#isTooLarge && (isNone || this.#isAllowed(text.replace(/^,/, '')))) {
      // The comma of the first tool that passes belonged between it and one that did not.
      if (!this.#hasTool && text.startsWith(',')) this.#tool.dropFirstByte();
      this.#passed.addAll(this.#tool);
      this.#hasTool ||= !isNone;
    } else {
      this.#drop();
    }
    this.#tool.clear();
    this.#isTooLarge = false;
  }

  #isAllowed(text: string): boolean {
    const start = skipSpace(text, 0);
    if (text[start] !== '{' || !isJson(text)) return false;
    const members = jsonMembers(text, start) ?? [];
    const names = members.filter(({ key }) => key.toLowerCase() === 'name').map((member) => jsonString(text, member));
    return names.length > 0 && names.every((name) => name !== undefined && isToolAllowed(this.#allowed, name));
  }

  #drop(): void {
    this.#passed.addAll(this.#tool, true);
    this.#tool.clear();
  }
}

function unescapeKey(bytes: readonly number[]): string {
  const text = String.fromCharCode(...bytes);
  if (!text.includes('\\')) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return '';
  }
}
