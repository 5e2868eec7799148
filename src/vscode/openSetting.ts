import * as vscode from 'vscode';
import { settingIds } from './ids.ts';

/** Of the computer that the extension runs on: a remote window has a page of its own for them, and this one none. */
const MACHINE_SETTINGS: ReadonlySet<unknown> = new Set([settingIds.extraCaFile, settingIds.gatewayPort]);

/** The settings of others that our texts lead to. */
const PROXY_SETTING = 'http.proxy';

/** Opens the settings editor where this setting can be changed. @param id anything but a known one is ignored */
export async function openSetting(id: unknown): Promise<void> {
  const isOfMachine = MACHINE_SETTINGS.has(id);
  if (!isOfMachine && id !== PROXY_SETTING) return;
  const isElsewhere = isOfMachine && vscode.env.remoteName !== undefined;
  const command = isElsewhere ? 'workbench.action.openRemoteSettings' : 'workbench.action.openSettings';
  await vscode.commands.executeCommand(command, { query: `@id:${String(id)}` });
}
