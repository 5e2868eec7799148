import type { ConfigClient, ServerEntry } from './configClient.ts';
import type { EntryChange } from './entryChange.ts';
import { addToJson, changeInJson, readJson, removeFromJson } from './jsonServers.ts';
import { addToToml, changeInToml, readToml, removeFromToml } from './tomlServers.ts';

/** A part of a text, in UTF-16 units as JavaScript counts. */
export interface TextRange {
  readonly offset: number;
  readonly length: number;
}

/** A string, number or truth value somewhere in what a file says of a server. */
export interface ConfigProperty {
  /** From the server's entry on; elements of arrays by their number. */
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  /** The value, with its quotes. */
  readonly range: TextRange;
}

/** A server that a file names. What it says of it is data from outside, so `entry` can be anything. */
export interface ConfiguredServer {
  readonly name: string;
  /** The name where the entry begins, with its quotes. */
  readonly nameRange: TextRange;
  /** The whole entry; in TOML from the first of its lines to the end of the last. */
  readonly range: TextRange;
  readonly entry: unknown;
  readonly properties: readonly ConfigProperty[];
}

/**
 * What is wrong with a file.
 * - `syntax`: it is no JSON or TOML.
 * - `comment`, `trailing_comma`: the client's parser takes none.
 * - `duplicate`: a name is there twice, of which one is not seen.
 * - `not_an_object`: something else is where an object should be.
 * - `unusual`: it is right, but written in a way that we do not edit.
 */
export interface ConfigProblem {
  readonly type: 'syntax' | 'comment' | 'trailing_comma' | 'duplicate' | 'not_an_object' | 'unusual';
  readonly range: TextRange;
}

export interface ConfigServers {
  readonly servers: readonly ConfiguredServer[];
  readonly problems: readonly ConfigProblem[];
}

/** What became of an edit. Only `edited` has a text to write. */
export type ConfigEdit =
  | { readonly type: 'edited'; readonly text: string }
  /** A server of that name is there already. */
  | { readonly type: 'exists'; readonly server: ConfiguredServer }
  /** There is no server of that name. */
  | { readonly type: 'missing' }
  /** The file is not what its client could read, so it is better left alone. */
  | { readonly type: 'broken'; readonly problem: ConfigProblem };

/** What is added to a file. */
export interface NewServer {
  readonly name: string;
  readonly entry: ServerEntry;
  /** An input that the entry refers to (VS Code's `inputs`); it is added unless one with its `id` is there. */
  readonly input?: ServerEntry & { readonly id: string };
}

/** How a file says which servers there are. */
export interface ConfigFormat extends Pick<ConfigClient, 'syntax' | 'serversKey'> {
  /** The names of the objects that hold `serversKey`, from the top on; none for the file itself. In JSON only. */
  readonly within?: readonly string[];
}

/**
 * The servers that a client's file names, and what is wrong with it. Gives what it can of a broken file. Never throws.
 * @param text of the whole file; may be empty
 */
export function readServers(text: string, client: ConfigFormat): ConfigServers {
  return client.syntax === 'toml' ? readToml(text, client) : readJson(text, client);
}

/**
 * Adds a server to a client's file. All else in the text stays as it is, byte for byte: comments, layout, line ends.
 * @param replace whether a server of the same name gives way
 */
export function addServer(text: string, client: ConfigFormat, server: NewServer, replace = false): ConfigEdit {
  return client.syntax === 'toml' ? addToToml(text, client, server, replace) : addToJson(text, client, server, replace);
}

/** Takes a server out of a client's file, and leaves all else as it is. */
export function removeServer(text: string, client: ConfigFormat, name: string): ConfigEdit {
  return client.syntax === 'toml' ? removeFromToml(text, client, name) : removeFromJson(text, client, name);
}

/**
 * Changes what a client's file says of a server, and leaves all else as it is, also in the entry.
 * @param changes made one after the other, so elements of an array go from the last one on
 */
export function changeServer(
  text: string,
  client: ConfigFormat,
  name: string,
  changes: readonly EntryChange[],
): ConfigEdit {
  return client.syntax === 'toml'
    ? changeInToml(text, client, name, changes)
    : changeInJson(text, client, name, changes);
}
