import * as vscode from 'vscode';
import type { Connection, SettingsChange } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { isScopeToken, parseScopes } from '../oauth/scopeSet.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';
import { failedIssuer } from './otherIssuers.ts';
import { askChoice } from './questions.ts';
import {
  isSettingName,
  settingChoices,
  settingLabel,
  type SettingName,
  settingsOf,
  settingValue,
} from './settingRows.ts';
import type { SignIn } from './signIn.ts';
import { shortPath, withoutLinks } from './untrustedText.ts';

export interface ConnectionSettingsParts {
  readonly service: ConnectionService;
  readonly signIn: SignIn;
}

/**
 * Lets the person set how to get on with servers that deviate from the rules.
 * @param wanted the one setting that an error is about: it is asked for at once, and then signed in with.
 */
export async function changeSettings(
  { service, signIn }: ConnectionSettingsParts,
  connection: Connection,
  wanted?: unknown,
): Promise<void> {
  const name = isSettingName(wanted) ? wanted : await pickSetting(connection);
  if (name === undefined) return;
  if (name === 'client' || name === 'caFile') {
    await vscode.commands.executeCommand(COMMANDS[name], connection.id);
    return;
  }
  const changed =
    name === 'fixedScopes' ? await askScopes(connection) : await askSetting(connection, name, isSettingName(wanted));
  if (changed === undefined) return;
  await service.configure(connection.id, changed);
  const current = service.get(connection.id) ?? connection;
  if (isSettingName(wanted)) {
    await signIn.run(current);
    return;
  }
  const signInNow = t('Sign In Now');
  const saved = t('{0}: Saved. It counts from the next sign-in on.', withoutLinks(connection.name));
  if ((await vscode.window.showInformationMessage(saved, signInNow)) === signInNow) await signIn.run(current);
}

/** Settings that have a command of their own. */
const COMMANDS = { client: commandIds.useRegisteredClient, caFile: commandIds.chooseCaFile } as const;

interface SettingItem extends vscode.QuickPickItem {
  readonly name: SettingName | keyof typeof COMMANDS;
}

async function pickSetting(connection: Connection): Promise<SettingItem['name'] | undefined> {
  const { client, caFile } = connection.settings;
  const items: readonly SettingItem[] = [
    ...settingsOf(connection).map((name) => ({
      name,
      label: settingLabel(name),
      description: withoutLinks(settingValue(connection, name)),
    })),
    {
      name: 'client',
      label: t('Client'),
      description: withoutLinks(client?.clientId ?? t('registered by itself')),
    },
    {
      name: 'caFile',
      label: t('Certificate authorities'),
      description: caFile === undefined ? t('those of this computer') : shortPath(caFile),
    },
  ];
  const options = { title: t('Settings of {0}', connection.name), placeHolder: t('What do you want to change?') };
  return (await vscode.window.showQuickPick(items, options))?.name;
}

/**
 * Undefined when the person gives up.
 * @param isWanted whether an error calls for another value than the one that there is
 */
async function askSetting(
  connection: Connection,
  name: Exclude<SettingName, 'fixedScopes'>,
  isWanted: boolean,
): Promise<SettingsChange | undefined> {
  const now = connection.settings[name];
  const failed = name === 'issuer' ? failedIssuer(connection.lastError, connection) : undefined;
  const choices = settingChoices(connection, name).map(({ value, label, detail = '' }) => {
    const notes = [
      ...(value === now ? [t('in use')] : []),
      ...(value !== undefined && value === failed ? [t('did not work')] : []),
    ];
    return { value, label, description: notes.join(', '), detail };
  });
  const other = choices.find(({ value }) => value !== undefined && value !== now && value !== failed);
  const answer = await askChoice({
    title: settingLabel(name),
    placeholder: t('For {0}', connection.name),
    choices,
    preselected: isWanted ? other?.value : now,
  });
  return answer.type === 'answered' ? { [name]: answer.value } : undefined;
}

async function askScopes({ lastError, requested, settings }: Connection): Promise<SettingsChange | undefined> {
  const text = await vscode.window.showInputBox({
    title: settingLabel('fixedScopes'),
    prompt: t(
      'Ask for exactly these scopes, with spaces between them; leave this empty to ask for what the server names',
    ),
    value: (settings.fixedScopes ?? refusedScopes(lastError) ?? requested).join(' '),
    ignoreFocusOut: true,
    validateInput: (value) => {
      const wrong = value.split(/\s+/).find((word) => word !== '' && !isScopeToken(word));
      return wrong === undefined ? undefined : t('{0} cannot be a scope.', wrong);
    },
  });
  if (text === undefined) return undefined;
  const fixedScopes = parseScopes(text);
  return { fixedScopes: fixedScopes.length === 0 ? undefined : fixedScopes };
}

/** What was asked for at the sign-in that failed because of that; it may be more than was ever granted. */
function refusedScopes(error: unknown): readonly string[] | undefined {
  const isOfScopes = isOAuthError(error, 'authorization_failed') || isOAuthError(error, 'token_request_failed');
  return isOfScopes ? error.details.scopes : undefined;
}
