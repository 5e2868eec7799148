import type { CodeLens, Command } from 'vscode-languageserver/node';
import type { ConfigServerReference, ServerStatus } from '../mcpConfig/languageProtocol.ts';
import { t } from '../vscode/localize.ts';
import { withoutLinks } from '../vscode/untrustedText.ts';
import { commandIds } from './commands.ts';
import { referenceTo, rangeIn, type ConfigDocument } from './configDocument.ts';
import type { ConnectionList } from './connectionList.ts';

/** What stands over the remote servers of a document: how each is connected, and what can be done about it. */
export function lensesOf(document: ConfigDocument, connections: ConnectionList): CodeLens[] {
  return document.analysis.servers.flatMap((server) => {
    const range = rangeIn(document, server.nameRange);
    const relation = connections.relationOf(server);
    const reference = referenceTo(document, server);
    return lensCommands(relation, reference).map((command) => ({ range, command }));
  });
}

function lensCommands(relation: ReturnType<ConnectionList['relationOf']>, reference: ConfigServerReference): Command[] {
  switch (relation.type) {
    case 'local':
      return [];
    case 'unknown':
      return [{ title: t('Connect'), command: commandIds.connect, arguments: [reference] }];
    case 'routed':
      return statusCommands(relation.connection);
    case 'known':
      return [
        ...statusCommands(relation.connection),
        { title: t('Use through Scopekeeper'), command: commandIds.route, arguments: [reference] },
      ];
  }
}

function statusCommands(connection: ServerStatus): Command[] {
  const status = { title: statusTitle(connection), command: commandIds.details, arguments: [connection.id] };
  const signIn = { title: t('Sign in'), command: commandIds.reauthorize, arguments: [connection.id] };
  return needsPerson(connection) ? [status, signIn] : [status];
}

function needsPerson({ health }: ServerStatus): boolean {
  return health === 'attention' || health === 'error' || health === 'failed' || health === 'off';
}

/** The health by its shape, and in words: what the tree says after the name. */
export function statusTitle({ health, text }: ServerStatus): string {
  const words = withoutLinks(text);
  switch (health) {
    case 'ok':
      return `● ${t('connected')} · ${words}`;
    case 'working':
      return `◌ ${words}`;
    case 'offline':
    case 'off':
      return `○ ${words}`;
    case 'attention':
      return `▲ ${words}`;
    case 'error':
    case 'failed':
      return `✕ ${words}`;
  }
}
