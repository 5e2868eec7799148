import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { PrepareRedirect } from '../connections/ports.ts';
import { discoverIssuer } from './discoverIssuer.ts';
import { t } from './localize.ts';
import { askText, required } from './questions.ts';
import type { SignIn } from './signIn.ts';
import { displayUrl, withoutLinks } from './untrustedText.ts';

export interface RegisteredClientParts {
  readonly service: ConnectionService;
  readonly signIn: SignIn;
  /** Where sign-ins come back to; a client that is registered by hand must name it. */
  readonly redirectUri: PrepareRedirect;
}

/** Asks for a client that the person registered by hand (P8), keeps it and signs in with it. */
export async function useRegisteredClient(parts: RegisteredClientParts, connection: Connection): Promise<void> {
  const { service, signIn } = parts;
  // As it is now: what is entered for one authorization server must not go to another (P11).
  const issuer = await discoverIssuer(service, connection);
  if (issuer === undefined) return;
  const clientId = await askClientId(
    issuer,
    await parts.redirectUri(connection.settings.redirect),
    connection.settings.client?.clientId,
  );
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
  const copyRedirectUri = async () => {
    await vscode.env.clipboard.writeText(redirectUri);
    return undefined;
  };
  const answer = await askText({
    title: t('Use a Registered Client'),
    prompt: t(
      'Register an app at {0} with the redirect URI {1}, then enter its client ID',
      withoutLinks(displayUrl(issuer)),
      redirectUri,
    ),
    value: known,
    problem: required(t('Enter a client ID.')),
    buttons: [{ icon: 'copy', tooltip: t('Copy the redirect URI'), act: copyRedirectUri }],
  });
  return answer.type === 'answered' ? answer.value : undefined;
}
