import { type CompletionItem, CompletionItemKind, InsertTextFormat, InsertTextMode } from 'vscode-languageserver/node';
import type { ConfigClient } from '../mcpConfig/configClient.ts';
import type { TextRange } from '../mcpConfig/configServers.ts';
import { keysAt, type KeyShapes, shapeAt, type ValueShape } from '../mcpConfig/entryShape.ts';
import { entryShapes } from '../mcpConfig/entryShapes.ts';
import type { ServerStatus } from '../mcpConfig/languageProtocol.ts';
import { isRecord } from '../mcpConfig/sameData.ts';
import { t } from '../vscode/localize.ts';
import { displayUrl } from '../vscode/untrustedText.ts';
import type { CompletionPlace } from './completionPlace.ts';
import { type ConfigDocument, rangeIn } from './configDocument.ts';
import type { ConnectionList } from './connectionList.ts';
import { statusTitle } from './lenses.ts';
import { writerOf } from './entryWriter.ts';

/** Who gives a server's URL under which key. */
const URL_KEYS: ReadonlySet<string> = new Set(['url', 'serverUrl', 'httpUrl']);

/** What can be written at a place of a document. */
export function completionsAt(
  document: ConfigDocument,
  connections: ConnectionList,
  place: CompletionPlace,
  hasSnippets: boolean,
): CompletionItem[] {
  const { client } = document;
  const writer = writerOf(document, hasSnippets);
  const shape = entryShapes[client.id];
  const item = (label: string, range: TextRange, newText: string, parts: Partial<CompletionItem>): CompletionItem => ({
    label,
    filterText: writer.filterText(label, place.type),
    textEdit: { range: rangeIn(document, range), newText },
    insertTextFormat: hasSnippets ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    insertTextMode: InsertTextMode.adjustIndentation,
    ...parts,
  });
  switch (place.type) {
    case 'server': {
      const names = new Set(document.analysis.servers.map(({ name }) => name));
      return connections.all
        .filter(({ name }) => !names.has(name))
        .map((connection) =>
          item(connection.name, place.range, writer.server(connection, place.isNameOnly, place.hasNext), {
            ...described(connection),
            kind: CompletionItemKind.Module,
          }),
        );
    }
    case 'entry':
      return connections.all.map((connection) =>
        item(connection.name, place.range, writer.entry(connection), {
          ...described(connection),
          kind: CompletionItemKind.Module,
        }),
      );
    case 'key': {
      // The editor knows what VS Code takes.
      const isEditors = client.id === 'vscode' && place.path.length === 0;
      const keys = isEditors
        ? {}
        : (keysAt(shape, place.path) ?? headerKeys(client, shapeAt(shape, place.path), place.path));
      return Object.entries(keys)
        .filter(([key]) => !place.taken.has(key))
        .map(([key, value]) => {
          const text = headerText(client, key, place.path);
          return item(key, place.range, writer.key(key, value, place.hasValue, place.hasNext, text), {
            kind: CompletionItemKind.Property,
            detail: typeText(value),
          });
        });
    }
    case 'value': {
      const key = place.path.at(-1) ?? '';
      if (place.path.length === 1 && URL_KEYS.has(key)) {
        return connections.all.map((connection) =>
          item(connection.name, place.range, writer.text(connection.gatewayUrl), {
            ...described(connection),
            kind: CompletionItemKind.Reference,
          }),
        );
      }
      return valuesOf(shapeAt(shape, place.path)).map((value) =>
        item(String(value), place.range, typeof value === 'string' ? writer.text(value) : String(value), {
          kind: CompletionItemKind.EnumMember,
        }),
      );
    }
  }
}

function described(connection: ServerStatus): Partial<CompletionItem> {
  const through = t('Through Scopekeeper, to {0}', displayUrl(connection.serverUrl));
  return { detail: statusTitle(connection), documentation: through };
}

function valuesOf(shape: ValueShape | undefined): readonly (string | boolean)[] {
  if (shape?.type === 'boolean') return [true, false];
  return shape?.type === 'string' ? (shape.values ?? []) : [];
}

/** The header that proves who one is, where the client has a way to name what it says. */
function headerKeys(client: ConfigClient, shape: ValueShape | undefined, path: readonly string[]): KeyShapes {
  const isHeaders = shape?.type === 'texts' && /headers$/i.test(path.at(-1) ?? '');
  return isHeaders && headerText(client, 'Authorization', path) !== undefined
    ? { Authorization: { type: 'string' } }
    : {};
}

/** What stands for a token in a header, never a token itself. */
function headerText(client: ConfigClient, key: string, path: readonly string[]): string | undefined {
  if (key !== 'Authorization' || path.at(-1) !== 'headers') return undefined;
  const url = 'https://example.com';
  switch (client.tokenPlace?.type) {
    case 'input':
      return headerIn(client.entry({ url, access: { type: 'input', inputId: 'token' } }));
    case 'variable':
      return headerIn(client.entry({ url, access: { type: 'variable', variable: 'TOKEN' } }));
    default:
      return undefined;
  }
}

function headerIn({ headers }: ReturnType<ConfigClient['entry']>): string | undefined {
  const value = isRecord(headers) ? headers['Authorization'] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function typeText(shape: ValueShape): string {
  switch (shape.type) {
    case 'string':
      return shape.values?.join(' | ') ?? t('text');
    case 'number':
      return t('number');
    case 'boolean':
      return 'true | false';
    case 'strings':
      return t('list of texts');
    case 'texts':
    case 'object':
      return t('object');
    case 'any':
      return '';
  }
}
