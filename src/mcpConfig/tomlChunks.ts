import { tomlStatements } from './tomlStatements.ts';

/** A table with its header, or what is before the first one. */
export interface TomlChunk {
  readonly start: number;
  /** Where the next one begins. */
  readonly end: number;
  /** Its header, as it is written; empty for what is before the first one. */
  readonly header: string;
}

/**
 * Where the tables of a document are. Reads each character once, and makes nothing out of what is in a table, so that it
 * is much faster than a parser. A line that begins with `[serversKey` is always a header, whatever is open before it, so
 * that a bracket that somebody has not closed yet does not swallow the rest. Never throws.
 */
export function tomlChunks(text: string, serversKey: string): TomlChunk[] {
  const marker = `[${serversKey}`;
  const chunks: TomlChunk[] = [];
  let start = 0;
  let header = '';
  for (let at = 0; at < text.length;) {
    const first = skipBlanks(text, at);
    const end = text[first] === '[' ? lineEndAt(text, first) : endOfPair(text, first, marker);
    if (text[first] === '[') {
      chunks.push({ start, end: first, header });
      start = first;
      header = text.slice(first, end).trimEnd();
    }
    at = Math.max(end, first) + 1;
  }
  chunks.push({ start, end: text.length, header });
  return chunks;
}

/** The path that the header of a table says; undefined for one that is broken. */
export function headerPath(header: string): readonly string[] | undefined {
  const [, bare] = /^\[([\w-]+(?:\.[\w-]+)*)\]$/.exec(header) ?? [];
  if (bare !== undefined) return bare.split('.');
  return tomlStatements(header)[0]?.path;
}

function skipBlanks(text: string, at: number): number {
  let next = at;
  while (next < text.length && text.charCodeAt(next) <= 32) next += 1;
  return next;
}

function lineEndAt(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

const DOUBLE = 34;
const HASH = 35;
const SINGLE = 39;
const NEWLINE = 10;
const BACKSLASH = 92;

/** Where the line ends on which the pair at `start` does, which can go over several. */
function endOfPair(text: string, start: number, marker: string): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === NEWLINE && (depth <= 0 || text.startsWith(marker, at + 1))) return at;
    if (char === HASH) at = lineEndAt(text, at) - 1;
    else if (char === DOUBLE || char === SINGLE) at = endOfString(text, at, char, marker) - 1;
    else if (char === 91 || char === 123) depth += 1;
    else if (char === 93 || char === 125) depth -= 1;
  }
  return text.length;
}

/** Where the string ends that begins at `start`; one of a single line that is not closed ends with it. */
function endOfString(text: string, start: number, quote: number, marker: string): number {
  const mark = String.fromCodePoint(quote).repeat(3);
  if (text.startsWith(mark, start)) {
    for (let at = start + 3; at < text.length; at += 1) {
      const char = text.charCodeAt(at);
      if (char === BACKSLASH && quote === DOUBLE) at += 1;
      else if (char === quote && text.startsWith(mark, at)) return at + 3;
      else if (char === NEWLINE && text.startsWith(`${marker}.`, at + 1) && !text.includes(mark, at)) return at;
    }
    return text.length;
  }
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === BACKSLASH && quote === DOUBLE) at += 1;
    else if (char === quote) return at + 1;
    else if (char === NEWLINE) return at;
  }
  return text.length;
}
