import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { worstFirst } from '../connections/health.ts';
import { newScopesText } from './causeText.ts';
import { t } from './localize.ts';
import { connectionText } from './treeText.ts';

export interface ConnectionItem extends vscode.QuickPickItem {
  readonly connection: Connection;
}

/** A connection as an entry of a quick pick, drawn as its row in the tree is. */
export function connectionItem(connection: Connection, now: number): ConnectionItem {
  const { label, description, icon } = connectionText(connection, now);
  const added = newScopesText(connection);
  const color = icon?.color === undefined ? undefined : new vscode.ThemeColor(icon.color);
  return {
    connection,
    // Labels turn $(name) into an icon; a server may have chosen this one.
    label: label.replaceAll('$(', '$ ('),
    description,
    ...(added !== undefined && { detail: added }),
    ...(icon === undefined ? {} : { iconPath: new vscode.ThemeIcon(icon.id.replace('~spin', ''), color) }),
  };
}

/**
 * The connection that a command is about: the one of the row, id or link it was called with, else the
 * only one that fits, else the one the user picks, the worst health first. Undefined when there is none or
 * the user picks none.
 */
export async function pickConnection(
  service: ConnectionService,
  argument: unknown,
  placeHolder: string,
  fits: (connection: Connection) => boolean = () => true,
): Promise<Connection | undefined> {
  const id = connectionIdOf(argument);
  if (id !== undefined) return service.get(id);
  const now = Date.now();
  const connections = worstFirst(service.connections.filter(fits), now);
  if (connections.length === 0) {
    void vscode.window.showInformationMessage(t('No connection needs that now.'));
    return undefined;
  }
  if (connections.length === 1) return connections[0];
  const items = connections.map((connection) => connectionItem(connection, now));
  const picked = await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true });
  return picked?.connection;
}

/** The id in what VS Code or a link passes to a command: an id, or a row of the tree. */
export function connectionIdOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument;
  if (typeof argument !== 'object' || argument === null || !('connectionId' in argument)) return undefined;
  return typeof argument.connectionId === 'string' ? argument.connectionId : undefined;
}
