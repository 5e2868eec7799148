import * as vscode from 'vscode';
import { errorText } from './errorText.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';

/**
 * Tells that tokens are kept in the editor's secret storage, and why. The vault calls this once for a
 * window, so it is not repeated. Ends when the user has answered, which may be never.
 */
export async function tellFallback(error: unknown): Promise<void> {
  const { message } = errorText(error);
  const showLog = t('Show Log');
  const text = t(
    '{0} Your tokens are kept in the secret storage of this editor instead, so only it can use them.',
    message,
  );
  const chosen = await vscode.window.showWarningMessage(text, showLog);
  if (chosen === showLog) await vscode.commands.executeCommand(commandIds.showLog);
}
