import { stringify } from 'smol-toml';
import type { ConfigValue } from '../mcpConfig/configClient.ts';
import type { ValueShape } from '../mcpConfig/entryShape.ts';
import type { ServerStatus } from '../mcpConfig/languageProtocol.ts';
import { indentationUnit, lineEnd } from '../mcpConfig/textEdits.ts';
import type { CompletionPlace } from './completionPlace.ts';
import type { ConfigDocument } from './configDocument.ts';

/** How the parts of a file are written in its syntax, fit to be inserted. */
export interface EntryWriter {
  /** What the editor compares with what is typed there. */
  filterText(label: string, place: CompletionPlace['type']): string;
  /** A whole server, led through the gateway, or its name. */
  server(connection: ServerStatus, isNameOnly: boolean, hasNext: boolean): string;
  entry(connection: ServerStatus): string;
  /**
   * A key, and a place for its value unless it has one.
   * @param text what the value says, instead of a place to fill in
   */
  key(key: string, shape: ValueShape, hasValue: boolean, hasNext: boolean, text: string | undefined): string;
  text(value: string): string;
}

/** @param hasSnippets whether the editor has places to fill in, for which `$` and the like are escaped */
export function writerOf(document: ConfigDocument, hasSnippets: boolean): EntryWriter {
  const { client } = document;
  const plain = (text: string): string => (hasSnippets ? text.replaceAll(/[\\$}]/g, String.raw`\$&`) : text);
  const place = hasSnippets ? '$1' : '';
  const entryOf = ({ gatewayUrl }: ServerStatus) => client.entry({ url: gatewayUrl, access: { type: 'sign-in' } });
  const placed = (shape: ValueShape, text: string | undefined): string =>
    text === undefined ? placeOf(shape, place) : plain(JSON.stringify(text));

  if (client.syntax === 'toml') {
    const eol = lineEnd(document.document.getText());
    return {
      filterText: (label, type) => {
        if (type === 'server') return `[${client.serversKey}.${label}`;
        return type === 'value' ? JSON.stringify(label) : label;
      },
      server: (connection, isNameOnly) => {
        const table = stringify({ [client.serversKey]: { [connection.name]: entryOf(connection) } }).trimEnd();
        return plain((isNameOnly ? (table.split('\n')[0] ?? '') : table).replaceAll('\n', eol));
      },
      entry: (connection) => plain(inlineTable(entryOf(connection))),
      key: (key, shape, hasValue, _hasNext, text) => (hasValue ? key : `${key} = ${placed(shape, text)}`),
      text: (value) => plain(JSON.stringify(value)),
    };
  }
  const unit = indentationUnit(document.document.getText());
  const written = (value: ConfigValue): string => JSON.stringify(value, undefined, unit);
  return {
    filterText: (label) => JSON.stringify(label),
    server: (connection, isNameOnly, hasNext) => {
      const name = JSON.stringify(connection.name);
      return plain(isNameOnly ? name : `${name}: ${written(entryOf(connection))}${hasNext ? ',' : ''}`);
    },
    entry: (connection) => plain(written(entryOf(connection))),
    key: (key, shape, hasValue, hasNext, text) => {
      const name = plain(JSON.stringify(key));
      return hasValue ? name : `${name}: ${placed(shape, text)}${hasNext ? ',' : ''}`;
    },
    text: (value) => plain(JSON.stringify(value)),
  };
}

function inlineTable(entry: Readonly<Record<string, ConfigValue>>): string {
  return `{ ${stringify(entry).trim().replaceAll('\n', ', ')} }`;
}

function placeOf({ type }: ValueShape, place: string): string {
  switch (type) {
    case 'string':
      return `"${place}"`;
    case 'strings':
      return `[${place}]`;
    case 'texts':
    case 'object':
      return `{${place}}`;
    case 'number':
    case 'boolean':
    case 'any':
      return place;
  }
}
