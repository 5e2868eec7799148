import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { t } from './localize.ts';
import type { SignIn } from './signIn.ts';
import { displayUrl, withoutLinks } from './untrustedText.ts';

export interface RegisteredClientParts {
  readonly service: ConnectionService;
  readonly signIn: SignIn;
  /** Where sign-ins come back to; a client that is registered by hand must name it. */
  readonly redirectUri: () => Promise<string>;
}

/** Asks for a client that the person registered by hand (P8), keeps it and signs in with it. */
export async function useRegisteredClient(parts: RegisteredClientParts, connection: Connection): Promise<void> {
  const { service, signIn } = parts;
  const issuer = issuerOf(connection);
  if (issuer === undefined) {
    void vscode.window.showInformationMessage(
      t(
        '{0}: Sign in first, so that Scopekeeper learns which authorization server the client ID is for.',
        withoutLinks(connection.name),
      ),
    );
    return;
  }
  const clientId = await askClientId(issuer, await parts.redirectUri(), connection.settings.client?.clientId);
  if (clientId === undefined) return;
  const secret = await vscode.window.showInputBox({
    title: t('Use a Registered Client'),
    prompt: t('Its client secret; leave this empty if it has none'),
    password: true,
    ignoreFocusOut: true,
  });
  if (secret === undefined) return;
  const entered = secret === '' ? {} : { clientSecret: secret };
  await service.configure(connection.id, { client: { issuer, clientId } }, entered);
  await signIn.run(service.get(connection.id) ?? connection);
}

/** Asks for the client ID, and offers the redirect URI to be copied. Undefined when the person gives up. */
async function askClientId(issuer: string, redirectUri: string, known = ''): Promise<string | undefined> {
  const copy: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('copy'),
    tooltip: t('Copy the redirect URI'),
  };
  const input = vscode.window.createInputBox();
  input.title = t('Use a Registered Client');
  // The prompt would turn Markdown in the issuer into links, even into commands.
  input.prompt = t(
    'Register an app at {0} with the redirect URI {1}, then enter its client ID',
    withoutLinks(displayUrl(issuer)),
    redirectUri,
  );
  input.value = known;
  input.ignoreFocusOut = true;
  input.buttons = [copy];
  try {
    return await new Promise<string | undefined>((resolve) => {
      input.onDidTriggerButton(async () => vscode.env.clipboard.writeText(redirectUri));
      input.onDidAccept(() => {
        if (input.value.trim() === '') input.validationMessage = t('Enter a client ID.');
        else resolve(input.value.trim());
      });
      input.onDidChangeValue(() => {
        input.validationMessage = undefined;
      });
      input.onDidHide(() => resolve(undefined));
      input.show();
    });
  } finally {
    input.dispose();
  }
}

/** The authorization server of a connection, also of one that never got further than to it. */
function issuerOf({ issuer, lastError }: Connection): string | undefined {
  if (isOAuthError(lastError) && 'issuer' in lastError.details) return lastError.details.issuer;
  return issuer;
}
