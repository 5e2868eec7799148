import { parse } from 'smol-toml';
import type { ConfigClient } from './configClient.ts';
import type { ConfigProblem, ConfigProperty, TextRange } from './configServers.ts';
import { type EntryContents, tomlKeys } from './entryKeys.ts';
import { headerPath, type TomlChunk, tomlChunks } from './tomlChunks.ts';
import { readToml } from './tomlServers.ts';
import { tomlStatements } from './tomlStatements.ts';

/** A part of a document that can be read by itself, and that says all about some servers, or nothing about any. */
export interface TomlPart {
  readonly start: number;
  readonly text: string;
  /** The only server in it that counts; undefined when all do. */
  readonly only: string | undefined;
}

export interface TomlParts {
  readonly parts: readonly TomlPart[];
  /** Headers that are there a second time. */
  readonly problems: readonly ConfigProblem[];
}

export interface TomlEntry {
  readonly name: string;
  readonly nameRange: TextRange;
  readonly range: TextRange;
  readonly contents: EntryContents;
}

/** What a part says of servers; ranges are from its start. */
export interface TomlPartRead {
  readonly entries: readonly TomlEntry[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * The parts of a document in TOML, in their order, to be read each by itself: so that what did not change need not be
 * read again, and what is broken does not hide the rest. What is wrong only with two parts together is found where a
 * header is there twice; for the rest ask `readServers`.
 */
export function tomlParts(text: string, { serversKey }: Pick<ConfigClient, 'serversKey'>): TomlParts {
  const groups = new Map<string, TomlChunk[]>();
  const others: TomlChunk[] = [];
  const problems: ConfigProblem[] = [];
  const headers = new Set<string>();
  for (const chunk of tomlChunks(text, serversKey)) {
    const { header, start } = chunk;
    if (headers.has(header) && !header.startsWith('[[')) {
      problems.push({ type: 'syntax', range: { offset: start, length: header.length } });
    }
    if (header !== '') headers.add(header);
    const [key, name] = header.startsWith(`[${serversKey}`) ? (headerPath(header) ?? []) : [];
    if (key !== serversKey || name === undefined) others.push(chunk);
    else {
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [chunk]);
      else group.push(chunk);
    }
  }
  const parts = others.map(({ start, end }): TomlPart => ({ start, text: text.slice(start, end), only: undefined }));
  for (const [name, group] of groups) {
    const start = group[0]?.start ?? 0;
    parts.push({ start, text: text.slice(start, group.at(-1)?.end), only: name });
  }
  return { parts: parts.sort((a, b) => a.start - b.start), problems };
}

/** Reads a part. It depends on its text and on `only`. Never throws. */
export function readTomlPart({ text, only }: TomlPart, client: Pick<ConfigClient, 'serversKey'>): TomlPartRead {
  const { servers, problems } = readToml(text, client);
  const statements = servers.length === 0 ? [] : tomlStatements(text);
  const entries = servers
    .filter(({ name }) => only === undefined || name === only)
    .map(({ name, nameRange, range, entry, properties }): TomlEntry => {
      const own = statements.filter(({ path }) => path[0] === client.serversKey && path[1] === name);
      const contents = {
        kind: 'object' as const,
        keys: tomlKeys(text, entry, own),
        properties: properties.map((property) => withValue(text, property)),
      };
      return { name, nameRange, range, contents };
    });
  return { entries, problems };
}

/** In a text that is broken somewhere, each value says by itself what it is. */
function withValue(text: string, { path, value, range }: ConfigProperty): ConfigProperty {
  if (value !== undefined) return { path, value, range };
  try {
    const written = text.slice(range.offset, range.offset + range.length);
    return { path, range, value: parse(`value = ${written}`)['value'] };
  } catch {
    return { path, value, range };
  }
}
