import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import { isConnectionError, isKeychainError } from '../connections/errors.ts';
import { errorText } from './errorText.ts';
import { isWorthDiagnosing } from './diagnosis/worthDiagnosing.ts';
import { actionLabel, commandOf } from './errorActions.ts';
import type { ErrorAction } from './errorWords.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';
import { otherIssuers } from './otherIssuers.ts';
import { withoutLinks } from './untrustedText.ts';

/** What an error is about, so that its button can act on it. */
export interface ErrorContext {
  readonly connection?: Connection | undefined;
  /** What *Try Again* does; without it there is no such button. */
  readonly tryAgain?: (() => Promise<void>) | undefined;
}

const open = new Set<string>();

/**
 * Tells the user about an error: what happened, whose fault it is, the next step, and a button for it.
 * The same words are not shown a second time while they are still there to be read.
 */
export async function showError(error: unknown, context: ErrorContext = {}): Promise<void> {
  const { message, nextStep, action } = errorText(error);
  // The keychain's trouble is that of all connections: one message is enough for them.
  const name = isKeychainError(error) ? '' : withoutLinks(context.connection?.name ?? '');
  // A name is often the host, which the message has already.
  const text = `${name === '' || message.includes(name) ? '' : `${name}: `}${message} ${nextStep}`;
  if (open.has(text)) return;
  open.add(text);
  try {
    const chosen = await vscode.window.showErrorMessage(text, ...buttonsFor(action, error, context));
    open.delete(text);
    await chosen?.act();
  } finally {
    open.delete(text);
  }
}

interface Button extends vscode.MessageItem {
  readonly act: () => Promise<void>;
}

/** The buttons of an error. Without one only the beginning of a longer text is seen, so there is always one. */
function buttonsFor(action: ErrorAction | undefined, error: unknown, context: ErrorContext): readonly Button[] {
  const act = action === undefined ? undefined : performer(action, error, context);
  const showLog = { title: actionLabel('show_log'), act: async () => run(commandIds.showLog) };
  const first = action === undefined || act === undefined ? showLog : { title: actionLabel(action), act };
  const { connection } = context;
  if (connection === undefined) return [first];
  if (otherIssuers(error, connection).length > 0) {
    const goElsewhere = async () => run(commandIds.connectionSettings, connection.id, 'issuer');
    return [first, { title: t('Other Authorization Server…'), act: goElsewhere }];
  }
  if (!isWorthDiagnosing(error)) return [first];
  return [first, { title: t('Diagnose…'), act: async () => run(commandIds.diagnoseConnection, connection.id) }];
}

/** What carries an action out, or undefined when there is nothing it could act on. */
function performer(
  action: ErrorAction,
  error: unknown,
  { connection, tryAgain }: ErrorContext,
): (() => Promise<void>) | undefined {
  if (action === 'try_again') return tryAgain;
  if (isConnectionError(error, 'storage_broken') || isConnectionError(error, 'storage_salvaged')) {
    return async () => run('vscode.open', vscode.Uri.file(error.details.path));
  }
  const call = commandOf(action, connection);
  return call === undefined ? undefined : async () => run(call.command, ...call.args);
}

async function run(command: string, ...args: readonly unknown[]): Promise<void> {
  await vscode.commands.executeCommand(command, ...args);
}
