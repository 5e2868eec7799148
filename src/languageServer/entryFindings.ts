import type { ConfigClient } from '../mcpConfig/configClient.ts';
import type { TextRange } from '../mcpConfig/configServers.ts';
import type { EntryContents, EntryKey } from '../mcpConfig/entryKeys.ts';
import {
  type EntryShape,
  fits,
  keysAt,
  type KeyShapes,
  meantKey,
  shapeAt,
  type ValueShape,
} from '../mcpConfig/entryShape.ts';
import { entryShapes } from '../mcpConfig/entryShapes.ts';
import { type EntryToken, entryTokens } from '../mcpConfig/entryTokens.ts';
import type { EntryUrl } from '../mcpConfig/entryUrl.ts';
import { isLoopbackHost } from '../oauth/addressPolicy.ts';

/** What is to be said about an entry, whatever else there is. Holds no secret: where it is, not what it is. */
export type EntryFinding = { readonly range: TextRange } & (
  | {
      readonly code: 'token-in-file' | 'token-in-url';
      readonly place: EntryToken['place'];
      /** Of the header or the parameter. */
      readonly name: string;
      readonly canMove: boolean;
    }
  /** The URL is plain http to another machine. */
  | { readonly code: 'plain-http'; readonly host: string }
  /** What stands for a URL is none. */
  | { readonly code: 'no-url' }
  | {
      readonly code: 'unknown-key';
      readonly key: string;
      /** What was probably meant. */
      readonly meant: string | undefined;
    }
  | { readonly code: 'wrong-type'; readonly key: string; readonly expected: ValueShape['type'] }
  | { readonly code: 'unknown-value'; readonly key: string; readonly values: readonly string[] }
);

/**
 * All there is to be said about an entry by itself.
 * @param text what the ranges of `contents` are in
 */
export function entryFindings(
  text: string,
  client: ConfigClient,
  contents: EntryContents,
  url: EntryUrl | undefined,
): EntryFinding[] {
  const shape = entryShapes[client.id];
  return [
    ...entryTokens(contents).map((token) => tokenFinding(text, token)),
    ...urlFindings(text, url),
    ...contents.keys.flatMap((key) => keyFindings(key, contents, shape)),
    ...valueFindings(contents, shape),
  ];
}

function tokenFinding(text: string, { token, property, place, name, canMove }: EntryToken): EntryFinding {
  const code = place === 'query' || place === 'user_information' ? 'token-in-url' : 'token-in-file';
  return { code, place, name, canMove, range: partOf(text, property.range, token) };
}

function urlFindings(text: string, url: EntryUrl | undefined): EntryFinding[] {
  if (url === undefined || url.hasReference) return [];
  const { range } = url.property;
  // VS Code also reaches sockets and pipes.
  if (!URL.canParse(url.url)) return [{ code: 'no-url', range }];
  const { protocol, hostname, host } = new URL(url.url);
  if (protocol !== 'http:' || isLoopbackHost(hostname)) return [];
  const scheme = /^\s*http:\/\//i.exec(url.url)?.[0].trim() ?? '';
  return [{ code: 'plain-http', host, range: scheme === '' ? range : partOf(text, range, scheme) }];
}

function keyFindings(key: EntryKey, { keys }: EntryContents, shape: EntryShape): EntryFinding[] {
  const name = key.path.at(-1) ?? '';
  const above = key.path.slice(0, -1);
  const known = keysAt(shape, above);
  if (known === undefined) return textFindings(key, name, shapeAt(shape, above));
  const own = Object.hasOwn(known, name) ? known[name] : undefined;
  if (own === undefined) return unknownKey(key, name, keys, known, shape.isComplete);
  if (fits(key.kind, own)) return [];
  return [{ code: 'wrong-type', key: name, expected: own.type, range: key.valueRange }];
}

function unknownKey(
  { path, range }: EntryKey,
  key: string,
  keys: readonly EntryKey[],
  known: KeyShapes,
  isComplete: boolean,
): EntryFinding[] {
  const above = path.slice(0, -1).join('\0');
  const beside = keys.filter((one) => one.path.length === path.length && one.path.slice(0, -1).join('\0') === above);
  // A key that begins so is a comment where JSON has none.
  if (/^(?:_|\$|\/\/|#)/.test(key)) return [];
  const meant = meantKey(key, known, new Set(beside.map((one) => one.path.at(-1) ?? '')));
  if (meant === undefined && !isComplete) return [];
  return [{ code: 'unknown-key', key, meant, range }];
}

/** Headers and environment variables are strings. */
function textFindings({ kind, valueRange }: EntryKey, name: string, above: ValueShape | undefined): EntryFinding[] {
  if (above?.type !== 'texts' || kind === 'string' || kind === undefined) return [];
  return [{ code: 'wrong-type', key: name, expected: 'string', range: valueRange }];
}

function valueFindings({ properties }: EntryContents, shape: EntryShape): EntryFinding[] {
  return properties.flatMap(({ path, value, range }): EntryFinding[] => {
    const last = path.at(-1);
    if (typeof last === 'number') {
      const list = shapeAt(shape, path.slice(0, -1).map(String));
      const isWrong = list?.type === 'strings' && typeof value !== 'string';
      return isWrong ? [{ code: 'wrong-type', key: String(path.at(-2)), expected: 'strings', range }] : [];
    }
    const own = shapeAt(shape, path.map(String));
    if (own?.type !== 'string' || own.values === undefined || typeof value !== 'string') return [];
    if (own.values.includes(value) || !shape.isComplete) return [];
    return [{ code: 'unknown-value', key: String(last), values: own.values, range }];
  });
}

/** Where `part` is in what is written at `range`; all of it where it is written in another way. */
function partOf(text: string, range: TextRange, part: string): TextRange {
  const at = text.slice(range.offset, range.offset + range.length).indexOf(part);
  return at === -1 ? range : { offset: range.offset + at, length: part.length };
}
