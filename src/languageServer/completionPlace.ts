import { getLocation } from 'jsonc-parser';
import type { TextRange } from '../mcpConfig/configServers.ts';
import type { AnalyzedServer } from './analysis.ts';
import type { ConfigDocument } from './configDocument.ts';

/** What stands at a place where somebody types, and what gives way to what is chosen there. */
export type CompletionPlace = { readonly range: TextRange } &
  /** The name of a server. */
  (
    | { readonly type: 'server'; readonly isNameOnly: boolean; readonly hasNext: boolean }
    /** What is said of a server. */
    | { readonly type: 'entry' }
    | {
        readonly type: 'key';
        /** Of the object in the entry that it is in. */
        readonly path: readonly string[];
        /** The other keys of that object. */
        readonly taken: ReadonlySet<string>;
        readonly hasValue: boolean;
        /** Whether another key follows, so that a comma belongs there. */
        readonly hasNext: boolean;
      }
    | { readonly type: 'value'; readonly path: readonly string[] }
  );

/** Where `offset` is in the document; undefined where nothing is known of what can stand there. */
export function completionPlace(document: ConfigDocument, offset: number): CompletionPlace | undefined {
  return document.client.syntax === 'toml' ? placeInToml(document, offset) : placeInJson(document, offset);
}

function placeInJson({ document, analysis }: ConfigDocument, offset: number): CompletionPlace | undefined {
  const text = document.getText();
  const container = analysis.containers.find(
    ({ range }) => offset > range.offset && offset < range.offset + range.length,
  );
  if (container === undefined) return undefined;
  const { servers } = analysis;
  const server = servers.findLast(({ nameRange }) => nameRange.offset < offset);
  if (server === undefined || server.nameRange.offset < container.range.offset) return bareName(text, offset);
  const { nameRange, range } = server;
  const nameEnd = nameRange.offset + nameRange.length;
  const hasEntry = range.length > 0;
  if (offset <= nameEnd) {
    return {
      type: 'server',
      range: nameRange,
      isNameOnly: /^\s*:/.test(text.slice(nameEnd, nameEnd + 100)),
      hasNext: hasNextMember(text, nameEnd),
    };
  }
  if (hasEntry && offset > range.offset && offset < range.offset + range.length)
    return placeInEntry(text, server, offset);
  if (/^\s*:\s*$/.test(text.slice(nameEnd, offset))) return { type: 'entry', range: { offset, length: 0 } };
  return bareName(text, offset);
}

/** A place between servers; a name in quotes is one already. */
function bareName(text: string, offset: number): CompletionPlace | undefined {
  const before = /[{},\n]\s*$/.test(text.slice(Math.max(0, offset - 200), offset));
  return before
    ? { type: 'server', range: { offset, length: 0 }, isNameOnly: false, hasNext: hasNextMember(text, offset) }
    : undefined;
}

function placeInEntry(text: string, { range, facts }: AnalyzedServer, offset: number): CompletionPlace | undefined {
  const entry = text.slice(range.offset, range.offset + range.length);
  const { path, isAtPropertyKey, previousNode } = getLocation(entry, offset - range.offset);
  if (path.some((part) => typeof part === 'number')) return undefined;
  const names = path.map(String);
  const isOver =
    previousNode !== undefined &&
    offset - range.offset >= previousNode.offset &&
    offset - range.offset <= previousNode.offset + previousNode.length;
  const replaced: TextRange = isOver
    ? { offset: range.offset + previousNode.offset, length: previousNode.length }
    : { offset, length: 0 };
  if (!isAtPropertyKey) return names.length === 0 ? undefined : { type: 'value', path: names, range: replaced };
  const above = names.slice(0, -1);
  const beside = facts.keys.filter(
    (key) =>
      key.path.length === above.length + 1 &&
      above.every((part, index) => key.path[index] === part) &&
      key.range.offset + range.offset !== replaced.offset,
  );
  const end = replaced.offset + replaced.length;
  return {
    type: 'key',
    path: above,
    taken: new Set(beside.map((key) => key.path.at(-1) ?? '')),
    range: replaced,
    hasValue: isOver && /^\s*:/.test(text.slice(end, end + 100)),
    hasNext: hasNextMember(text, end),
  };
}

function hasNextMember(text: string, offset: number): boolean {
  return /^\s*"/.test(text.slice(offset, offset + 500));
}

/** The header of a table of a server, or of one below it. */
const TABLE =
  /^[\t ]*\[[\t ]*mcp_servers[\t ]*\.[\t ]*(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)((?:[\t ]*\.[\t ]*[\w-]+)*)[\t ]*\]/;

/** By lines: what is being typed is no TOML yet. */
function placeInToml({ document, client, analysis }: ConfigDocument, offset: number): CompletionPlace | undefined {
  const text = document.getText();
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(start, offset);
  const rest = /^[^\n]*/.exec(text.slice(offset))?.[0].trimEnd() ?? '';
  const opening = /^[\t ]*(\[[\w.\-"' ]*)$/.exec(line)?.[1];
  if (opening !== undefined && `[${client.serversKey}.`.startsWith(opening.slice(0, client.serversKey.length + 2))) {
    const length = opening.length + (rest === ']' ? 1 : 0);
    return { type: 'server', range: { offset: offset - opening.length, length }, isNameOnly: false, hasNext: false };
  }
  const header = text
    .slice(0, start)
    .split('\n')
    .findLast((one) => /^[\t ]*\[/.test(one));
  const below = header === undefined ? undefined : TABLE.exec(header)?.[1];
  if (below === undefined) return undefined;
  const path = below.split('.').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  const [, key, value] = /^[\t ]*([\w-]*)(?:[\t ]*=[\t ]*("?[^"]*))?$/.exec(line) ?? [];
  if (key === undefined) return undefined;
  if (value !== undefined) {
    const closing = value.startsWith('"') && rest === '"' ? 1 : 0;
    return {
      type: 'value',
      path: [...path, key],
      range: { offset: offset - value.length, length: value.length + closing },
    };
  }
  const server = analysis.servers.findLast(({ range }) => range.offset <= start);
  const taken = server?.facts.keys.filter(
    (one) => one.path.length === path.length + 1 && one.range.offset !== offset - key.length,
  );
  return {
    type: 'key',
    path,
    taken: new Set(taken?.map((one) => one.path.at(-1) ?? '')),
    range: { offset: offset - key.length, length: key.length },
    hasValue: /^[\t ]*=/.test(rest),
    hasNext: false,
  };
}
