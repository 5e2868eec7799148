import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { healthOf, worstFirst } from '../connections/health.ts';
import { connectionItem } from './connectionPicker.ts';
import { commandIds, viewIds } from './ids.ts';
import { t } from './localize.ts';

interface StatusItem extends vscode.QuickPickItem {
  readonly run?: () => Thenable<unknown>;
}

/** What a click on the status bar item offers: first the connections that need the user, then the rest. */
export async function showStatus(service: ConnectionService): Promise<void> {
  const now = Date.now();
  const sorted = worstFirst(service.connections, now);
  const isUrgent = (connection: Connection) => ['error', 'attention', 'failed'].includes(healthOf(connection, now));
  const urgent = sorted.filter(isUrgent).map((connection) => item(connection, now, commandIds.reauthorize));
  const others = sorted.filter((connection) => !isUrgent(connection)).map((connection) => item(connection, now));
  const items: StatusItem[] = [
    ...(urgent.length > 0 ? [separator(t('sign in')), ...urgent] : []),
    ...(others.length > 0 ? [separator(t('connections')), ...others] : []),
    separator(''),
    { label: t('Connect Server…'), iconPath: new vscode.ThemeIcon('add'), run: command(commandIds.connectServer) },
    { label: t('Show All'), iconPath: new vscode.ThemeIcon('list-tree'), run: command(`${viewIds.servers}.focus`) },
    { label: t('Show Log'), iconPath: new vscode.ThemeIcon('output'), run: command(commandIds.showLog) },
  ];
  const isWell = sorted.every((connection) => ['ok', 'working', 'off'].includes(healthOf(connection, now)));
  const rest = isWell ? t('All connections are well') : t('Nothing for you to do now');
  const placeHolder = urgent.length > 0 ? t('Choose a connection to sign in to') : rest;
  const picked = await vscode.window.showQuickPick(items, { title: t('MCP Connections'), placeHolder });
  await picked?.run?.();
}

/** A connection, which does `action` when picked; without one it shows its row. */
function item(connection: Connection, now: number, action?: string): StatusItem {
  const run = action === undefined ? command(commandIds.reveal, connection.id) : command(action, connection.id);
  return { ...connectionItem(connection, now), run };
}

function separator(label: string): StatusItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

function command(id: string, ...args: readonly string[]): () => Thenable<unknown> {
  return () => vscode.commands.executeCommand(id, ...args);
}
