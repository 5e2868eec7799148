import { type Hover, MarkupKind } from 'vscode-languageserver/node';
import type { ServerStatus } from '../mcpConfig/languageProtocol.ts';
import { t } from '../vscode/localize.ts';
import { absoluteText } from '../vscode/relativeTime.ts';
import { displayUrl, markdownText } from '../vscode/untrustedText.ts';
import type { AnalyzedServer } from './analysis.ts';
import { type ConfigDocument, rangeIn, urlRangeOf } from './configDocument.ts';
import type { ConnectionList } from './connectionList.ts';
import { statusTitle } from './lenses.ts';

/** What is told over the name of a remote server, and over its URL. */
export function hoverAt(document: ConfigDocument, connections: ConnectionList, offset: number): Hover | undefined {
  for (const server of document.analysis.servers) {
    const range = [server.nameRange, urlRangeOf(server)].find(
      (one) => one !== undefined && offset >= one.offset && offset <= one.offset + one.length,
    );
    if (range === undefined) continue;
    const value = textOf(document, connections, server);
    if (value === undefined) return undefined;
    return { range: rangeIn(document, range), contents: { kind: MarkupKind.Markdown, value } };
  }
  return undefined;
}

function textOf({ client }: ConfigDocument, connections: ConnectionList, server: AnalyzedServer): string | undefined {
  const relation = connections.relationOf(server);
  switch (relation.type) {
    case 'local':
      return undefined;
    case 'unknown':
      return markdownText(t('Scopekeeper has no connection to this server.'));
    case 'routed':
      return grantText(relation.connection, t('{0} uses this connection.', client.name));
    case 'known':
      return grantText(relation.connection, t('{0} does not use this connection.', client.name));
  }
}

/** All that is known of the grant. What servers and people wrote is escaped. */
function grantText(connection: ServerStatus, usage: string): string {
  const { name, account, issuer, granted, missing, expiresAt, problem, serverUrl } = connection;
  const lines: readonly (readonly [string, string] | undefined)[] = [
    [t('Server'), displayUrl(serverUrl)],
    account === undefined ? undefined : [t('Account'), account],
    issuer === undefined ? undefined : [t('Authorization server'), displayUrl(issuer)],
    granted.length === 0 ? undefined : [t('Granted'), granted.join(' ')],
    missing.length === 0 ? undefined : [t('Not granted'), missing.join(' ')],
    expiresAt === undefined ? undefined : [t('Expires'), absoluteText(expiresAt)],
    problem === undefined ? undefined : [t('Last error'), problem],
  ];
  return [
    `**${markdownText(name)}** — ${markdownText(statusTitle(connection))}`,
    markdownText(usage),
    lines
      .flatMap((line) => (line === undefined ? [] : [`- ${markdownText(line[0])}: ${markdownText(line[1])}`]))
      .join('\n'),
  ].join('\n\n');
}
