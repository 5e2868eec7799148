import type { Connection } from '../connections/connection.ts';
import type { ErrorAction } from './errorWords.ts';
import { commandIds, settingIds, type CommandId } from './ids.ts';
import { needsClient } from './kindText.ts';
import { t } from './localize.ts';

/** A command, and what it is called with. */
export interface CommandCall {
  readonly command: CommandId | EditorCommand;
  readonly args: readonly string[];
}

/** The label of an action's button. */
export function actionLabel(action: ErrorAction): string {
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

/**
 * The command that carries an action out on a connection; undefined when it needs one and there is none, and for a
 * file, whose place only the error knows.
 */
export function commandOf(action: ErrorAction, connection: Connection | undefined): CommandCall | undefined {
  const command = ACTION_COMMANDS[action];
  if (action === 'show_log' || action === 'reload_window') return { command, args: [] };
  if (action === 'open_proxy_settings') return { command, args: ['http.proxy'] };
  if (action === 'open_ca_setting') return { command, args: [settingIds.extraCaFile] };
  if (action === 'open_file' || connection === undefined) return undefined;
  // Such a kind has questions of its own, of which the client ID is one.
  if (action === 'enter_client' && needsClient(connection.kind)) {
    return { command: commandIds.signInAnotherWay, args: [connection.id, connection.kind] };
  }
  const argument = ACTION_ARGUMENTS[action];
  return { command, args: [connection.id, ...(argument === undefined ? [] : [argument])] };
}

type EditorCommand = 'vscode.open' | 'workbench.action.reloadWindow';

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
  open_ca_setting: commandIds.openSetting,
  open_proxy_settings: commandIds.openSetting,
  open_file: 'vscode.open',
  reload_window: 'workbench.action.reloadWindow',
  show_log: commandIds.showLog,
};

/** All commands that {@link commandOf} may give. A page that may run them must not be able to open any URL. */
export const actionCommands: readonly string[] = [...new Set(Object.values(ACTION_COMMANDS))].filter(
  (command) => command !== ACTION_COMMANDS.open_file,
);

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
