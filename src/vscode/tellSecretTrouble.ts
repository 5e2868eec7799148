import * as vscode from 'vscode';
import type { SecretTrouble } from '../connections/keychainTrouble.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { isConnectionError } from '../connections/errors.ts';
import { errorText } from './errorText.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';
import { showError } from './notifications.ts';

const TOLD_KEY = 'toldFallback';

/**
 * Tells what is wrong with the keychain, and what follows for the tokens: one message for all connections. That the
 * editor keeps them is not told again for the same reason, in whatever window, before the keychain was back.
 * Ends when the user has answered, which may be never.
 * @param trouble undefined when it is over
 * @param tryAgain asks the keychain again
 */
export async function tellSecretTrouble(
  trouble: SecretTrouble | undefined,
  memory: vscode.Memento,
  tryAgain: () => void,
): Promise<void> {
  if (trouble === undefined) {
    await memory.update(TOLD_KEY, undefined);
    return;
  }
  const { message, nextStep, summary } = errorText(trouble.error);
  switch (trouble.effect) {
    case 'hidden':
      await showError(trouble.error, { tryAgain: async () => tryAgain() });
      return;
    case 'in_editor':
      if (memory.get(TOLD_KEY) === summary) return;
      await memory.update(TOLD_KEY, summary);
      await offer(
        t('{0} Your tokens are kept in the secret storage of this editor instead, so only it can use them.', message),
        tryAgain,
      );
      return;
    case 'in_memory':
      await offer(
        t('{0} Your tokens are stored nowhere now and are lost when this window closes. {1}', message, nextStep),
        tryAgain,
      );
  }
}

async function offer(text: string, tryAgain: () => void): Promise<void> {
  const again = t('Try Again');
  const showLog = t('Show Log');
  const chosen = await vscode.window.showWarningMessage(text, again, showLog);
  if (chosen === again) tryAgain();
  if (chosen === showLog) await vscode.commands.executeCommand(commandIds.showLog);
}

/** Tells that the list of connections cannot be saved; `error` is undefined when it is again. */
export function tellUnsaved(error: unknown, tryAgain: () => Promise<void>): void {
  if (error !== undefined) void showError(error, { tryAgain }); // the answer may never come
}

/** Tells that a part of the list of connections is left out. */
export function tellSalvaged(error: unknown): void {
  void showError(error); // the answer may never come
}

/** Tells the first time that what the keychain holds for a connection cannot be read; the rows tell of all others. */
export function tellUnreadable(service: ConnectionService): vscode.Disposable {
  const subscription = service.onDidChangeConnection(({ connection }) => {
    const { lastError, state } = connection;
    const isUnreadable = isConnectionError(lastError, 'secret_unreadable') && state.type === 'needsSignIn';
    if (!isUnreadable && !isConnectionError(lastError, 'secret_too_new')) return;
    subscription.dispose();
    void showError(lastError, { connection }); // the answer may never come
  });
  return { dispose: () => subscription.dispose() };
}
