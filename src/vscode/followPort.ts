import * as vscode from 'vscode';
import type { WindowRole } from '../owner/windowRole.ts';
import { settingIds } from './ids.ts';
import { showError } from './notifications.ts';

/** Moves to another port as soon as it is set. */
export function followPort(role: WindowRole): vscode.Disposable {
  const follow = async (): Promise<void> => {
    try {
      await role.followPort();
    } catch (error) {
      void showError(error, { tryAgain: follow }); // the answer may never come
    }
  };
  return vscode.workspace.onDidChangeConfiguration((change) => {
    if (change.affectsConfiguration(settingIds.gatewayPort)) void follow(); // it never rejects
  });
}
