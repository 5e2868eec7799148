import { parse } from 'smol-toml';
import type { ConfigProperty, TextRange } from './configServers.ts';

/** A value in a document, by where it is: what it is, the parser knows. */
export type TomlLeaf = Pick<ConfigProperty, 'path' | 'range'>;

/** The header of a table, or a pair of a key and a value. */
export interface TomlStatement {
  /** How many are before it. */
  readonly index: number;
  /** From the top of the document on: of a pair, with that of its table. */
  readonly path: readonly string[];
  /** Where the parts of the path are written; those of a pair's table are elsewhere. */
  readonly keyRanges: readonly (TextRange | undefined)[];
  /** With a comment that follows on the same line. */
  readonly range: TextRange;
  /** The strings, numbers and so on of a pair; also those in inline tables and arrays. */
  readonly leaves: readonly TomlLeaf[];
  /** The pairs in inline tables and the elements of arrays in it, each whole. */
  readonly members: readonly TomlLeaf[];
}

interface Found {
  readonly leaves: TomlLeaf[];
  readonly members: TomlLeaf[];
}

/**
 * The statements of a document, in their order: what parsers of TOML do not tell is where things are. Whether the
 * document is right is for a parser to say; of one that is not, this gives what it makes out. Never throws.
 */
export function tomlStatements(text: string): TomlStatement[] {
  const statements: TomlStatement[] = [];
  let table: readonly string[] = [];
  let at = 0;
  while ((at = skip(text, at, /[\s\uFEFF]*(?:#[^\n]*\s*)*/y)) < text.length) {
    const start = at;
    const isHeader = text[at] === '[';
    const key = readKey(text, isHeader ? skip(text, at, /\[{1,2}[\t ]*/y) : at);
    const found: Found = { leaves: [], members: [] };
    if (key !== undefined && isHeader) {
      table = key.path;
      at = skip(text, key.end, /[\t ]*\]{0,2}/y);
    } else if (key !== undefined && text[key.end] === '=') {
      at = readValue(text, skip(text, key.end + 1, /[\t ]*/y), [...table, ...key.path], found);
    }
    at = skip(text, Math.max(at, start), /[^\n]*/y);
    const length = text.slice(start, at).trimEnd().length;
    if (key !== undefined) {
      const above = isHeader ? [] : table;
      const path = [...above, ...key.path];
      const keyRanges = [...above.map(() => undefined), ...key.ranges];
      const range = { offset: start, length };
      statements.push({ index: statements.length, path, keyRanges, range, ...found });
    }
  }
  return statements;
}

interface Key {
  readonly path: readonly string[];
  readonly ranges: readonly TextRange[];
  /** After the blanks that follow. */
  readonly end: number;
}

const KEY_PART = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\w-]+/y;

/** A key, with its dots. Undefined when there is none. */
function readKey(text: string, start: number): Key | undefined {
  const path: string[] = [];
  const ranges: TextRange[] = [];
  for (let at = start; ;) {
    const part = match(text, at, KEY_PART);
    const name = part === undefined ? undefined : keyName(part);
    if (part === undefined || name === undefined) return undefined;
    path.push(name);
    ranges.push({ offset: at, length: part.length });
    const end = skip(text, at + part.length, /[\t ]*/y);
    if (text[end] !== '.') return { path, ranges, end };
    at = skip(text, end + 1, /[\t ]*/y);
  }
}

/** A part of a key without its quotes. */
function keyName(part: string): string | undefined {
  if (/^[\w-]+$/.test(part)) return part;
  try {
    return Object.keys(parse(`${part} = 0`))[0];
  } catch {
    return undefined;
  }
}

const STRING = /"""(?:[^"\\]|\\[^]|"(?!""))*"{3,5}|'''(?:[^']|'(?!''))*'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y;
const BLANKS = /\s*(?:#[^\n]*\s*)*/y;

/** Where the value ends that begins at `start`; what it holds goes to `found`. */
function readValue(text: string, start: number, path: ConfigProperty['path'], found: Found): number {
  const string = match(text, start, STRING);
  if (string !== undefined) return leaf(string.length);
  if (text[start] === '[') return readArray(text, start, path, found);
  if (text[start] === '{') return readInlineTable(text, start, path, found);
  return leaf(match(text, start, /[^,\]}#\n]*/y)?.trimEnd().length ?? 0);

  function leaf(length: number): number {
    found.leaves.push({ path, range: { offset: start, length } });
    return start + length;
  }
}

function readArray(text: string, start: number, path: ConfigProperty['path'], found: Found): number {
  let at = skip(text, start + 1, BLANKS);
  for (let index = 0; at < text.length && text[at] !== ']'; index += 1) {
    const element = [...path, index];
    const valueEnd = readValue(text, at, element, found);
    found.members.push({ path: element, range: { offset: at, length: valueEnd - at } });
    const end = skip(text, valueEnd, BLANKS);
    at = text[end] === ',' ? skip(text, end + 1, BLANKS) : end;
    if (text[end] !== ',' && text[at] !== ']') return at;
  }
  return at + 1;
}

function readInlineTable(text: string, start: number, path: ConfigProperty['path'], found: Found): number {
  let at = skip(text, start + 1, BLANKS);
  while (at < text.length && text[at] !== '}') {
    const key = readKey(text, at);
    if (key === undefined || text[key.end] !== '=') return at;
    const value = skip(text, key.end + 1, /[\t ]*/y);
    const pair = [...path, ...key.path];
    const valueEnd = readValue(text, value, pair, found);
    found.members.push({ path: pair, range: { offset: at, length: valueEnd - at } });
    const end = skip(text, valueEnd, BLANKS);
    at = text[end] === ',' ? skip(text, end + 1, BLANKS) : end;
    if (text[end] !== ',' && text[at] !== '}') return at;
  }
  return at + 1;
}

function match(text: string, at: number, sticky: RegExp): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0];
}

function skip(text: string, at: number, sticky: RegExp): number {
  return at + (match(text, at, sticky)?.length ?? 0);
}
