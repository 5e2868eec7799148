/** A value in a text of JSON: where it begins, and where what follows it begins. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/** A member of an object, as often as it is there; `key` is unescaped. */
export interface JsonMember extends JsonSpan {
  readonly key: string;
}

/** Other parsers stop at 64 (.NET), 128 (Rust), 1,000 (Python), 10,000 (Go): what is deeper some read and some do not. */
const DEEPEST = 128;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The values of the array that begins at `start`.
 * @param text what `JSON.parse` has taken: it is not judged here.
 * @returns undefined when a value is nested deeper than other parsers read.
 */
export function jsonElements(text: string, start: number): JsonSpan[] | undefined {
  const elements: JsonSpan[] = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== ']') {
    const end = skipValue(text, at);
    if (end === undefined) return undefined;
    elements.push({ start: at, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return elements;
}

/**
 * The members of the object that begins at `start`, in their order, those with the same key too, of which parsers
 * take the first or the last. `text` and result as of {@link jsonElements}.
 */
export function jsonMembers(text: string, start: number): JsonMember[] | undefined {
  const members: JsonMember[] = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== '}') {
    const keyEnd = skipString(text, at);
    const key = jsonString(text, { start: at, end: keyEnd }) ?? '';
    // The colon is what is next but for space.
    at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, at);
    if (end === undefined) return undefined;
    members.push({ key, start: at, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return members;
}

/** The string there, unescaped; undefined when it is another value. */
export function jsonString(text: string, { start, end }: JsonSpan): string | undefined {
  if (text.charCodeAt(start) !== QUOTE) return undefined;
  const written = text.slice(start + 1, end - 1);
  if (!written.includes('\\')) return written;
  const value: unknown = JSON.parse(text.slice(start, end));
  return typeof value === 'string' ? value : undefined;
}

/** Whether it is JSON, strictly. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The first place at or after `at` that is not white space. */
export function skipSpace(text: string, at: number): number {
  let next = at;
  while (isSpace(text.charCodeAt(next))) next += 1;
  return next;
}

/** @param code `NaN` behind the end */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function skipString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at);
    if (at === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
}

/** Where the value that begins at `start` ends; undefined when it is nested too deep. */
function skipValue(text: string, start: number): number | undefined {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      depth += 1;
      if (depth > DEEPEST) return undefined;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      // A number, or a word, that is the last in what is around it.
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === COMMA || isSpace(code))) {
      return at;
    }
    at += 1;
  }
  return at;
}
