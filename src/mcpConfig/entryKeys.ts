import type { Node } from 'jsonc-parser';
import type { ConfigProperty, TextRange } from './configServers.ts';
import { membersOf, parseJson, propertiesOf, rangeOf } from './jsonDocument.ts';
import { isRecord } from './sameData.ts';
import type { TomlStatement } from './tomlStatements.ts';

export type ValueKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** A key somewhere in an entry, and what it stands for. */
export interface EntryKey {
  /** From the entry on. */
  readonly path: readonly string[];
  /** With its quotes. */
  readonly range: TextRange;
  /** Undefined where the value is missing. */
  readonly kind: ValueKind | undefined;
  /** Of what is written for it; the key's own where there is no one place. */
  readonly valueRange: TextRange;
}

/** What an entry says, and where. */
export interface EntryContents {
  /** Undefined where there is none. */
  readonly kind: ValueKind | undefined;
  /** All keys but those in arrays, in the order in which they are written. */
  readonly keys: readonly EntryKey[];
  readonly properties: readonly ConfigProperty[];
}

/** What the text of an entry in JSON says, as far as it can be made out; ranges are from the start of `text`. */
export function readJsonEntry(text: string): EntryContents {
  const { root } = parseJson(text, 'jsonc');
  if (root === undefined) return { kind: undefined, keys: [], properties: [] };
  const keys: EntryKey[] = [];
  addKeys(root, [], keys);
  return { kind: kindOfNode(root), keys, properties: propertiesOf(root) };
}

function addKeys(node: Node, path: readonly string[], keys: EntryKey[]): void {
  for (const { name, nameNode, value } of membersOf(node)) {
    const below = [...path, name];
    const range = rangeOf(nameNode);
    const kind = value === undefined ? undefined : kindOfNode(value);
    keys.push({ path: below, range, kind, valueRange: value === undefined ? range : rangeOf(value) });
    if (value !== undefined) addKeys(value, below, keys);
  }
}

function kindOfNode({ type }: Node): ValueKind | undefined {
  return type === 'property' ? undefined : type;
}

/** A key of an inline table. */
const INLINE_KEY = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\w-]+/y;

/**
 * The keys of an entry in TOML.
 * @param text of the document
 * @param statements those of the server
 */
export function tomlKeys(text: string, entry: unknown, statements: readonly TomlStatement[]): EntryKey[] {
  const keys = new Map<string, EntryKey>();
  for (const { path, keyRanges, leaves, members } of statements) {
    const add = (whole: readonly string[], range: TextRange | undefined): void => {
      const below = whole.slice(2);
      const id = below.join('\0');
      if (range === undefined || below.length === 0 || keys.has(id)) return;
      const leaf = leaves.find((one) => one.path.length === whole.length && one.path.join('\0') === whole.join('\0'));
      keys.set(id, { path: below, range, kind: kindOf(valueAt(entry, below)), valueRange: leaf?.range ?? range });
    };
    for (const [index, range] of keyRanges.entries()) add(path.slice(0, index + 1), range);
    for (const { path: pair, range } of members) {
      const names = pair.filter((part) => typeof part === 'string');
      INLINE_KEY.lastIndex = range.offset;
      const length = INLINE_KEY.exec(text)?.[0].length;
      // Elements of arrays have numbers.
      if (names.length === pair.length && length !== undefined) add(names, { offset: range.offset, length });
    }
  }
  return [...keys.values()];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, part) => (isRecord(found) && Object.hasOwn(found, part) ? found[part] : undefined),
    value,
  );
}

function kindOf(value: unknown): ValueKind | undefined {
  if (Array.isArray(value)) return 'array';
  if (isRecord(value)) return 'object';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'number':
    case 'bigint':
      return 'number';
    default:
      // A date of TOML is no type that a client takes.
      return value instanceof Date ? 'string' : undefined;
  }
}
