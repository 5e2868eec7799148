import { integer, maxValue, minValue, number, object, picklist, pipe, safeParse, type InferOutput } from 'valibot';
import type { Keytar } from './keytarAddon.ts';

/**
 * Keeps values that are longer than one keychain entry may be (2,560 bytes on Windows).
 *
 * A short value is the entry of its key. A longer one is cut into parts under `<key>/part/<revision>/<n>`,
 * and the entry of the key, the head, names the revision and the number of parts. Revisions are `a` and `b` in
 * turn, so the parts of the value before stay as they are until the head, in one write, names the new ones:
 * a crash at any moment leaves the old or the new value. Parts are written upwards and deleted downwards,
 * so what a crash leaves behind is always 0..n and the next write finds and removes it.
 */
export interface EntryAccess {
  readonly keytar: Keytar;
  readonly service: string;
  /** In bytes of UTF-8, which is how keytar stores texts on all platforms. */
  readonly maxEntryBytes: number;
}

const HEAD_MARK = 'scopekeeper/parts:';
const REVISIONS = ['a', 'b'] as const;
type Revision = (typeof REVISIONS)[number];

/** More than any document of ours has: a head that was spoilt is not believed for ever. */
const PARTS_AT_MOST = 1000;

const partCount = pipe(number(), integer(), minValue(1), maxValue(PARTS_AT_MOST));
const headSchema = object({ revision: picklist(REVISIONS), parts: partCount });
type Head = InferOutput<typeof headSchema>;

/**
 * The value of `key`; undefined when there is none. When parts of it are missing or the head is broken, the head and
 * what parts there are: no JSON, so nobody takes it for the value, and what is left can be kept for a repair.
 */
export async function readEntry(access: EntryAccess, key: string): Promise<string | undefined> {
  const text = (await access.keytar.getPassword(access.service, key)) ?? undefined;
  if (text === undefined || !text.startsWith(HEAD_MARK)) return text;
  const head = parseHead(text);
  if (head === undefined) return text;
  const parts: (string | null)[] = [];
  for (let index = 0; index < head.parts; index++) {
    parts.push(await access.keytar.getPassword(access.service, partKey(key, head.revision, index)));
  }
  return parts.includes(null) ? [text, ...parts.map((part) => part ?? '')].join('\n') : parts.join('');
}

/** Replaces the value of `key`. Returns when the new value is safe; clearing up after it may fail unnoticed. */
export async function writeEntry(access: EntryAccess, key: string, value: string): Promise<void> {
  const { keytar, service, maxEntryBytes } = access;
  if (maxEntryBytes === Infinity) {
    await keytar.setPassword(service, key, value);
    return;
  }
  const current = parseHead((await keytar.getPassword(service, key)) ?? '');
  const isShort = Buffer.byteLength(value) <= maxEntryBytes && !value.startsWith(HEAD_MARK);
  const next: Revision = current?.revision === 'a' ? 'b' : 'a';
  const parts = isShort ? [] : cut(value, maxEntryBytes);
  for (const [index, part] of parts.entries()) await keytar.setPassword(service, partKey(key, next, index), part);
  const head: Head = { revision: next, parts: parts.length };
  await keytar.setPassword(service, key, isShort ? value : HEAD_MARK + JSON.stringify(head));
  try {
    for (const revision of REVISIONS) await removeParts(access, key, revision, revision === next ? parts.length : 0);
  } catch {
    // The value is stored; the next write clears up.
  }
}

/** Removes the value of `key`, whether or not there is one. */
export async function deleteEntry(access: EntryAccess, key: string): Promise<void> {
  await access.keytar.deletePassword(access.service, key);
  if (access.maxEntryBytes === Infinity) return;
  for (const revision of REVISIONS) await removeParts(access, key, revision, 0);
}

/** Deletes the parts from `first` on. */
async function removeParts(access: EntryAccess, key: string, revision: Revision, first: number): Promise<void> {
  const { keytar, service } = access;
  let end = first;
  while ((await keytar.getPassword(service, partKey(key, revision, end))) !== null) end++;
  while (end > first) await keytar.deletePassword(service, partKey(key, revision, --end));
}

function parseHead(text: string): Head | undefined {
  if (!text.startsWith(HEAD_MARK)) return undefined;
  try {
    const result = safeParse(headSchema, JSON.parse(text.slice(HEAD_MARK.length)));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

function partKey(key: string, revision: Revision, index: number): string {
  return `${key}/part/${revision}/${index}`;
}

/** Cuts between characters, never inside one, so that each part is whole UTF-8. */
function cut(value: string, maxBytes: number): string[] {
  const parts: string[] = [];
  let part = '';
  let bytes = 0;
  for (const character of value) {
    const length = Buffer.byteLength(character);
    if (bytes + length > maxBytes) {
      parts.push(part);
      part = '';
      bytes = 0;
    }
    part += character;
    bytes += length;
  }
  return [...parts, part];
}
