import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import { isConnectionError, isKeychainError } from '../connections/errors.ts';
import { errorText } from './errorText.ts';
import type { ErrorAction } from './errorWords.ts';
import { commandIds, settingIds, type CommandId } from './ids.ts';
import { needsClient } from './kindQuestions.ts';
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

/** The button that helps against the last error of a connection; undefined where signing in is all that can be done. */
export function fixFor(connection: Connection): Button | undefined {
  const { lastError } = connection;
  const action = lastError === undefined ? undefined : errorText(lastError).action;
  if (action === undefined || action === 'try_again' || action === 'sign_in') return undefined;
  const act = performer(action, lastError, { connection });
  return act && { title: actionLabel(action), act };
}

/** A button of a message, or of a view. */
export interface Button extends vscode.MessageItem {
  readonly act: () => Promise<void>;
}

/** The buttons of an error. Without one only the beginning of a longer text is seen, so there is always one. */
function buttonsFor(action: ErrorAction | undefined, error: unknown, context: ErrorContext): readonly Button[] {
  const act = action === undefined ? undefined : performer(action, error, context);
  const showLog = { title: actionLabel('show_log'), act: async () => run(commandIds.showLog) };
  const first = action === undefined || act === undefined ? showLog : { title: actionLabel(action), act };
  const { connection } = context;
  if (connection === undefined || otherIssuers(error, connection).length === 0) return [first];
  const goElsewhere = async () => run(commandIds.connectionSettings, connection.id, 'issuer');
  return [first, { title: t('Other Authorization Server…'), act: goElsewhere }];
}

/** The button for an action. */
function actionLabel(action: ErrorAction): string {
  switch (action) {
    case 'try_again':
      return t('Try Again');
    case 'sign_in':
      return t('Sign In');
    case 'change_url':
      return t('Change URL…');
    case 'enter_client':
      return t('Enter Client ID…');
    case 'allow_unadvertised_pkce':
      return t('Allow…');
    case 'omit_resource':
      return t('Leave It Out…');
    case 'fix_scopes':
      return t('Choose Scopes…');
    case 'change_redirect':
      return t('Change Where It Comes Back To…');
    case 'change_dpop':
      return t('Change DPoP…');
    case 'change_issuer':
      return t('Choose Authorization Server…');
    case 'choose_kind':
      return t('Choose How to Sign In…');
    case 'enter_token':
      return t('Enter Token…');
    case 'choose_ca_file':
      return t('Choose Certificate File…');
    case 'open_ca_setting':
    case 'open_proxy_settings':
      return t('Open Settings');
    case 'open_file':
      return t('Open File');
    case 'reload_window':
      return t('Reload Window');
    case 'show_log':
      return t('Show Log');
  }
}

/** What carries an action out, or undefined when there is nothing it could act on. */
function performer(
  action: ErrorAction,
  error: unknown,
  { connection, tryAgain }: ErrorContext,
): (() => Promise<void>) | undefined {
  const command = ACTION_COMMANDS[action];
  if (action === 'show_log' || action === 'reload_window') return async () => run(command);
  if (action === 'try_again') return tryAgain;
  if (action === 'open_proxy_settings') return async () => run(command, '@id:http.proxy');
  if (action === 'open_ca_setting') return async () => run(command, `@id:${settingIds.extraCaFile}`);
  if (isConnectionError(error, 'storage_broken') || isConnectionError(error, 'storage_salvaged'))
    return async () => run(command, vscode.Uri.file(error.details.path));
  if (connection === undefined) return undefined;
  // Such a kind has questions of its own, of which the client ID is one.
  if (action === 'enter_client' && needsClient(connection.kind)) {
    return async () => run(commandIds.signInAnotherWay, connection.id, connection.kind);
  }
  const argument = ACTION_ARGUMENTS[action];
  return async () => run(command, connection.id, ...(argument === undefined ? [] : [argument]));
}

type EditorCommand = 'vscode.open' | 'workbench.action.openSettings' | 'workbench.action.reloadWindow';

const ACTION_COMMANDS: Readonly<Record<ErrorAction, CommandId | EditorCommand>> = {
  try_again: commandIds.reauthorize,
  sign_in: commandIds.reauthorize,
  change_url: commandIds.connectServer,
  enter_client: commandIds.useRegisteredClient,
  allow_unadvertised_pkce: commandIds.allowUnadvertisedPkce,
  omit_resource: commandIds.connectionSettings,
  fix_scopes: commandIds.connectionSettings,
  change_redirect: commandIds.connectionSettings,
  change_dpop: commandIds.connectionSettings,
  change_issuer: commandIds.connectionSettings,
  choose_kind: commandIds.signInAnotherWay,
  enter_token: commandIds.signInAnotherWay,
  choose_ca_file: commandIds.chooseCaFile,
  open_ca_setting: 'workbench.action.openSettings',
  open_proxy_settings: 'workbench.action.openSettings',
  open_file: 'vscode.open',
  reload_window: 'workbench.action.reloadWindow',
  show_log: commandIds.showLog,
};

/** What a command that does several things is to do. */
const ACTION_ARGUMENTS: Readonly<Partial<Record<ErrorAction, string>>> = {
  change_url: 'change_url',
  omit_resource: 'omitResource',
  fix_scopes: 'fixedScopes',
  change_redirect: 'redirect',
  change_dpop: 'dpop',
  change_issuer: 'issuer',
  enter_token: 'static_token',
};

async function run(command: string, ...args: readonly unknown[]): Promise<void> {
  await vscode.commands.executeCommand(command, ...args);
}
