import type { ValueKind } from './entryKeys.ts';

/** What a client takes for a key. */
export type ValueShape =
  | { readonly type: 'string'; readonly values?: readonly string[] }
  | { readonly type: 'number' | 'boolean' | 'strings' | 'any' }
  /** An object of strings under names that the client does not know: headers, environment variables. */
  | { readonly type: 'texts' }
  | { readonly type: 'object'; readonly keys: KeyShapes };
export type KeyShapes = Readonly<Record<string, ValueShape>>;

/** What a client takes as the entry of a server. */
export interface EntryShape {
  readonly keys: KeyShapes;
  /**
   * Whether a key that is not among `keys` is worth a word even when it looks like none of them. Not so where a client
   * has shown examples only, or where the editor itself knows the client's schema.
   */
  readonly isComplete: boolean;
}

/** What one client calls what others call something else. */
const SAME_MEANING: readonly ReadonlySet<string>[] = [
  new Set(['url', 'serverUrl', 'httpUrl', 'endpoint', 'uri']),
  new Set(['headers', 'http_headers', 'requestHeaders']),
  new Set(['oauth', 'auth']),
  new Set(['env', 'environment', 'envs']),
  new Set(['args', 'arguments']),
  new Set(['clientId', 'client_id', 'CLIENT_ID']),
  new Set(['clientSecret', 'client_secret', 'CLIENT_SECRET']),
  new Set(['scopes', 'scope']),
  new Set(['type', 'transport', 'transportType']),
  new Set(['disabledTools', 'disabled_tools', 'excludeTools']),
  new Set(['enabledTools', 'enabled_tools', 'includeTools']),
];

/** The shape of the key at `path` of an entry; undefined where there is none, or where everything goes. */
export function shapeAt({ keys }: EntryShape, path: readonly string[]): ValueShape | undefined {
  let shapes: KeyShapes | undefined = keys;
  let shape: ValueShape | undefined;
  for (const part of path) {
    shape = shapes !== undefined && Object.hasOwn(shapes, part) ? shapes[part] : undefined;
    shapes = shape?.type === 'object' ? shape.keys : undefined;
  }
  return shape;
}

/** The keys that may stand in the object at `path` of an entry; undefined where they are anything. */
export function keysAt(shape: EntryShape, path: readonly string[]): KeyShapes | undefined {
  if (path.length === 0) return shape.keys;
  const below = shapeAt(shape, path);
  return below?.type === 'object' ? below.keys : undefined;
}

/**
 * The key that was probably meant by one that a client does not know: what it calls the same thing, or what is written
 * almost alike. Undefined when none comes near.
 * @param taken keys that are there already
 */
export function meantKey(unknown: string, known: KeyShapes, taken: ReadonlySet<string>): string | undefined {
  const free = Object.keys(known).filter((key) => !taken.has(key));
  const group = SAME_MEANING.find((names) => names.has(unknown));
  const same = free.find((key) => group?.has(key) === true);
  if (same !== undefined) return same;
  const folded = fold(unknown);
  const near = free
    .map((key) => ({ key, distance: distanceOf(folded, fold(key)) }))
    .filter(({ key, distance }) => distance <= (key.length > 5 ? 2 : 1) && distance < key.length / 2)
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.key;
}

/** Whether a value of this kind may stand where that shape is expected. What has no value yet may. */
export function fits(kind: ValueKind | undefined, shape: ValueShape): boolean {
  if (kind === undefined) return true;
  switch (shape.type) {
    case 'any':
      return true;
    case 'strings':
      return kind === 'array';
    case 'texts':
    case 'object':
      return kind === 'object';
    case 'string':
    case 'number':
    case 'boolean':
      return kind === shape.type;
  }
}

function fold(key: string): string {
  return key.toLowerCase().replaceAll(/[-_]/g, '');
}

/** How many characters are to be put in, taken out, changed or swapped with the next one to make `b` of `a`. */
function distanceOf(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (last[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (last[j - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (beforeLast[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
