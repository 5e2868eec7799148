import * as vscode from 'vscode';
import { errorText } from './errorText.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';

const TOLD_KEY = 'toldFallback';

/**
 * Tells that tokens are kept in the editor's secret storage, and why; not again for the same reason, in
 * whatever window. Ends when the user has answered, which may be never.
 */
export async function tellFallback(error: unknown, memory: vscode.Memento): Promise<void> {
  const { message, summary } = errorText(error);
  if (memory.get(TOLD_KEY) === summary) return;
  await memory.update(TOLD_KEY, summary);
  const showLog = t('Show Log');
  const text = t(
    '{0} Your tokens are kept in the secret storage of this editor instead, so only it can use them.',
    message,
  );
  const chosen = await vscode.window.showWarningMessage(text, showLog);
  if (chosen === showLog) await vscode.commands.executeCommand(commandIds.showLog);
}
