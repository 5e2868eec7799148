import { TextDocument } from 'vscode-languageserver-textdocument';
import { Analyzer } from '../../../src/languageServer/analysis.ts';
import type { ConfigDocument } from '../../../src/languageServer/configDocument.ts';
import { ConnectionList } from '../../../src/languageServer/connectionList.ts';
import type { ClientId } from '../../../src/mcpConfig/configClient.ts';
import type { ServerStatus } from '../../../src/mcpConfig/languageProtocol.ts';
import { clientOf } from '../mcpConfig/clientOf.ts';

/** A document of a client as the language server sees it. */
export function documentOf(id: ClientId, text: string, languageId?: string): ConfigDocument {
  const client = clientOf(id);
  const language = languageId ?? (client.syntax === 'toml' ? 'toml' : 'jsonc');
  const document = TextDocument.create(`file:///home/me/${id}`, language, 1, text);
  return { document, client, analysis: new Analyzer(client).analyze(text) };
}

/** A list of connections. */
export function connectionList(...connections: readonly ServerStatus[]): ConnectionList {
  const list = new ConnectionList();
  list.replace(connections);
  return list;
}

/** A connection in good health, but for what is said. */
export function statusWith(change: Partial<ServerStatus> = {}): ServerStatus {
  return {
    id: 'c1',
    name: 'Sentry',
    serverUrl: 'https://mcp.sentry.dev/mcp',
    gatewayUrl: 'http://127.0.0.1:41999/sentry/mcp',
    health: 'ok',
    account: 'me@example.com',
    issuer: 'https://sentry.io',
    granted: ['org:read', 'project:read'],
    missing: [],
    text: 'expires in 42 min · 2 scopes',
    ...change,
  };
}
