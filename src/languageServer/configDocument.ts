import type { Range } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { ConfigClient } from '../mcpConfig/configClient.ts';
import type { TextRange } from '../mcpConfig/configServers.ts';
import type { ConfigServerReference } from '../mcpConfig/languageProtocol.ts';
import type { Analysis, AnalyzedServer } from './analysis.ts';

/** An open file of a client, and what was made out of its present text. */
export interface ConfigDocument {
  readonly document: TextDocument;
  readonly client: ConfigClient;
  readonly analysis: Analysis;
}

/** A part of the text as lines and characters. */
export function rangeIn({ document }: Pick<ConfigDocument, 'document'>, { offset, length }: TextRange): Range {
  return { start: document.positionAt(offset), end: document.positionAt(offset + length) };
}

/** What the commands of the extension take to know which server is meant. */
export function referenceTo({ document, client }: ConfigDocument, server: AnalyzedServer): ConfigServerReference {
  const { name, folder } = server;
  return { uri: document.uri, client: client.id, name, ...(folder !== undefined && { folder }) };
}

/** What is written as the server's URL, without its quotes. */
export function urlRangeOf({ facts, base }: AnalyzedServer): TextRange | undefined {
  if (facts.url === undefined) return undefined;
  const { offset, length } = facts.url.property.range;
  return { offset: offset + base + 1, length: Math.max(0, length - 2) };
}

/** A part of an entry as a part of what the entry is in. */
export function shifted({ offset, length }: TextRange, base: number): TextRange {
  return { offset: offset + base, length };
}
