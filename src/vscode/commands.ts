import * as vscode from 'vscode';
import { currentGrant, type Connection } from '../connections/connection.ts';
import type { ConnectionService, DisconnectOutcome } from '../connections/connectionService.ts';
import { isConnectionError } from '../connections/errors.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type { LocalAccess } from '../gateway/localAccess.ts';
import { parseServerUrl, canonicalResource } from '../oauth/serverUrl.ts';
import { addToClient } from './addToClient.ts';
import { askServerUrl } from './askServerUrl.ts';
import type { ClientConfigParts } from './clientAccess.ts';
import { chooseScopes, hasScopes } from './chooseScopes.ts';
import { chooseCaFile, type ChooseCaFileParts } from './chooseCaFile.ts';
import type { CommandTable } from './commandTable.ts';
import { connectConfigServer } from './configActions/connectEntry.ts';
import { moveTokenToKeychain, useThroughGateway } from './configActions/routeEntry.ts';
import { confirm } from './confirm.ts';
import { connectionIdOf, pickConnection } from './connectionPicker.ts';
import { changeSettings } from './connectionSettings.ts';
import { copyClientConfiguration } from './copyClientConfiguration.ts';
import { copyDeviceCode, openDevicePage, waitsForDevice } from './deviceCode.ts';
import type { Details } from './details/details.ts';
import type { DiagnoseCommand } from './diagnosis/diagnoseCommand.ts';
import { errorText } from './errorText.ts';
import { commandIds, viewIds } from './ids.ts';
import { importServers } from './importServers/importServers.ts';
import { showInConfig } from './importServers/showInConfig.ts';
import { t } from './localize.ts';
import { accessOf, changeTools, manageLocalClients, revokeAccess } from './localClients.ts';
import { newToken } from './newToken.ts';
import { showError } from './notifications.ts';
import { openSetting } from './openSetting.ts';
import { type RegisteredClientParts, useRegisteredClient } from './registeredClient.ts';
import { showStatus } from './showStatus.ts';
import { signInAnotherWay } from './signInAnotherWay.ts';
import { type TrySampleParts, trySampleServer } from './sample/trySampleServer.ts';
import { strayText } from './strayCallback.ts';
import { connectSynced, type ConnectSyncedParts } from './sync/connectSynced.ts';
import { withoutLinks } from './untrustedText.ts';

export interface CommandParts extends RegisteredClientParts, ChooseCaFileParts, ClientConfigParts {
  /** Makes sure that the connections can be used from this window, or throws why they cannot be. */
  readonly ensureReady: () => Promise<void>;
  /** Shows the row of a connection. */
  readonly reveal: (id: string) => Promise<void>;
  readonly details: Pick<Details, 'show' | 'export'>;
  readonly showProblem: () => Promise<void>;
  readonly showLog: () => void;
  readonly sampleUrl: TrySampleParts['sampleUrl'];
  readonly sync: ConnectSyncedParts['sync'];
  readonly diagnosis: Pick<DiagnoseCommand, 'run' | 'copy'>;
}

function isSigningIn({ state }: Connection): boolean {
  return state.type === 'authorizing';
}

/** All commands, each of which works from the palette as on a row of the tree. */
export function commandTable(parts: CommandParts): CommandTable {
  const { service, gateway, signIn, ensureReady } = parts;
  /** Runs `act` with the connection that the command is about. */
  const on =
    (placeHolder: string, act: (connection: Connection) => Promise<void>, fits?: (connection: Connection) => boolean) =>
    async (argument?: unknown) => {
      await ensureReady();
      const connection = await pickConnection(service, argument, placeHolder, fits);
      if (connection !== undefined) await act(connection);
    };
  /** Runs `act` with the local client of the row that the command was called on, else lists all of them. */
  const onAccess = (act: (access: LocalAccess) => Promise<void>) => async (argument?: unknown) => {
    await ensureReady();
    const access = accessOf(gateway, argument);
    await (access === undefined ? manageLocalClients(parts) : act(access));
  };
  const onceReady = (act: (argument: unknown) => Promise<void>) => async (argument?: unknown) => {
    await ensureReady();
    await act(argument);
  };
  const signInTo = async (connection: Connection) => signIn.run(connection);

  return {
    [commandIds.connectServer]: async (argument, intent) => {
      await ensureReady();
      const replaced = intent === 'change_url' ? service.get(connectionIdOf(argument) ?? '') : undefined;
      await connectServer(parts, replaced);
    },
    [commandIds.signIn]: on(t('Sign in to which server?'), signInTo),
    [commandIds.reauthorize]: on(t('Re-authorize which server?'), signInTo),
    [commandIds.chooseScopes]: on(
      t('Choose the scopes of which server?'),
      async (connection) => chooseScopes(parts, connection),
      hasScopes,
    ),
    [commandIds.refreshToken]: on(
      t('Refresh the token of which server?'),
      async (connection) => refreshToken(parts, connection),
      (connection) => currentGrant(connection)?.refreshable === true,
    ),
    [commandIds.disconnect]: on(
      t('Disconnect which server?'),
      async (connection) => disconnect(service, connection),
      ({ state }) => state.type !== 'disconnected',
    ),
    [commandIds.remove]: on(t('Remove which server?'), async (connection) => remove(service, connection)),
    [commandIds.rename]: on(t('Rename which server?'), async (connection) => rename(service, connection)),
    [commandIds.useRegisteredClient]: on(t('Enter a client ID for which server?'), async (connection) =>
      useRegisteredClient(parts, connection),
    ),
    [commandIds.signInAnotherWay]: async (argument, kind) =>
      on(t('Sign in to which server another way?'), async (connection) => {
        await signInAnotherWay(parts, connection, kind);
      })(argument),
    [commandIds.connectionSettings]: async (argument, setting) =>
      on(t('Change the settings of which server?'), async (connection) => changeSettings(parts, connection, setting))(
        argument,
      ),
    [commandIds.copyGatewayUrl]: on(t('Copy the gateway URL of which server?'), async (connection) =>
      copyGatewayUrl(gateway, connection),
    ),
    [commandIds.manageLocalClients]: async () => {
      await ensureReady();
      await manageLocalClients(parts);
    },
    [commandIds.copyClientConfiguration]: on(t('Copy the client configuration of which server?'), async (connection) =>
      copyClientConfiguration(parts, connection),
    ),
    [commandIds.addToClient]: on(t('Add which server to an MCP client?'), async (connection) =>
      addToClient(parts, connection),
    ),
    [commandIds.showInConfig]: on(t('Show which server in mcp.json?'), async (connection) =>
      showInConfig(parts, connection),
    ),
    [commandIds.importServers]: onceReady(async () => importServers(parts)),
    [commandIds.connectConfigServer]: onceReady(async (entry) => connectConfigServer(parts, entry)),
    [commandIds.useThroughGateway]: onceReady(async (entry) => useThroughGateway(parts, entry)),
    [commandIds.moveTokenToKeychain]: onceReady(async (entry) => moveTokenToKeychain(parts, entry)),
    [commandIds.newToken]: on(t('A token for which server?'), async (connection) => newToken(gateway, connection)),
    [commandIds.changeTools]: onAccess(async (access) => changeTools(parts, access)),
    [commandIds.revokeAccess]: onAccess(async (access) => revokeAccess(parts, access)),
    [commandIds.allowUnadvertisedPkce]: on(t('Allow which server?'), async (connection) =>
      allowUnadvertisedPkce(parts, connection),
    ),
    [commandIds.chooseCaFile]: on(t('Choose a certificate file for which server?'), async (connection) =>
      chooseCaFile(parts, connection),
    ),
    [commandIds.copySignInUrl]: on(
      t('Copy the URL of which sign-in?'),
      async (connection) => copySignInUrl(service, connection),
      isSigningIn,
    ),
    [commandIds.pasteCallbackUrl]: async () => {
      await ensureReady();
      await pasteCallbackUrl(service);
    },
    [commandIds.copyDeviceCode]: on(
      t('Copy the code of which sign-in?'),
      async (connection) => copyDeviceCode(service, connection),
      waitsForDevice,
    ),
    [commandIds.openDevicePage]: on(
      t('Open the page of which sign-in?'),
      async (connection) => openDevicePage(service, connection),
      waitsForDevice,
    ),
    [commandIds.cancelSignIn]: on(t('Cancel which sign-in?'), async ({ id }) => signIn.stop(id), isSigningIn),
    [commandIds.showStatus]: async () => showStatus(service),
    [commandIds.reveal]: async (argument) => {
      await vscode.commands.executeCommand(`${viewIds.servers}.focus`);
      await parts.reveal(connectionIdOf(argument) ?? '');
    },
    [commandIds.showDetails]: on(t('Show the details of which server?'), async ({ id }) => parts.details.show(id)),
    [commandIds.exportDiagnostics]: async (argument) => {
      // A window that cannot get at the connections has something to tell too.
      await ensureReady().catch(() => undefined);
      await parts.details.export(connectionIdOf(argument));
    },
    [commandIds.diagnoseConnection]: async (argument) => parts.diagnosis.run(argument),
    [commandIds.copyDiagnosis]: async () => parts.diagnosis.copy(),
    [commandIds.showProblem]: async () => parts.showProblem(),
    [commandIds.openSetting]: async (id) => openSetting(id),
    [commandIds.showLog]: () => parts.showLog(),
    [commandIds.trySampleServer]: async () => {
      await ensureReady();
      await trySampleServer(parts);
    },
    [commandIds.connectSynced]: async () => {
      await ensureReady();
      await connectSynced(parts);
    },
  };
}

/**
 * Asks for a URL, adds the connection and signs in.
 * @param replaced an entry whose URL was wrong: it goes once the new one is there, unless it ever worked
 */
async function connectServer(parts: CommandParts, replaced?: Connection): Promise<void> {
  const { service, signIn } = parts;
  const input = await askServerUrl(replaced?.serverUrl);
  if (input === undefined) return;
  const serverUrl = canonicalResource(parseServerUrl(input.url));
  const known = service.connections.find((connection) => connection.serverUrl === serverUrl);
  if (known !== undefined) {
    const again = await whetherAgain(known);
    if (again === undefined) return;
    if (!again) {
      if (input.choosesKind) await signInAnotherWay(parts, known);
      else await signIn.run(known);
      return;
    }
  }
  const connection = await service.add(input.url);
  if (!input.choosesKind) {
    await signIn.run(connection);
  } else if (!(await signInAnotherWay(parts, connection))) {
    await service.remove(connection.id);
    return;
  }
  // Looked at anew, since the person may have done anything meanwhile.
  const wrong = service.get(replaced?.id ?? '');
  const neverWorked = wrong?.state.type === 'disconnected' && wrong.issuer === undefined;
  if (neverWorked && wrong.id !== connection.id) await service.remove(wrong.id);
}

/** Whether a server that is there already is meant to be there twice. Undefined when the user gives up. */
async function whetherAgain(known: Connection): Promise<boolean | undefined> {
  const signInAgain = { label: t('Sign in again'), description: withoutLinks(known.name), again: false };
  const addAgain = { label: t('Add it a second time'), description: t('for another account'), again: true };
  const placeHolder = t('This server is already there.');
  return (await vscode.window.showQuickPick([signInAgain, addAgain], { placeHolder }))?.again;
}

async function refreshToken(parts: CommandParts, connection: Connection): Promise<void> {
  const { service, signIn } = parts;
  try {
    const { name } = await vscode.window.withProgress({ location: { viewId: viewIds.servers } }, async () =>
      service.refresh(connection.id),
    );
    vscode.window.setStatusBarMessage(t('$(pass) Renewed the token of {0}', withoutLinks(name)), 5000);
  } catch (error) {
    void showError(error, {
      connection,
      tryAgain: async () =>
        isConnectionError(error, 'sign_in_required') ? signIn.run(connection) : refreshToken(parts, connection),
    });
  }
}

async function disconnect(service: ConnectionService, connection: Connection): Promise<void> {
  const detail = t(
    'The tokens are revoked at the authorization server and forgotten here. The server stays in the list.',
  );
  const button = t('Disconnect');
  if (!(await confirm(t('Disconnect {0}?', connection.name), detail, button))) return;
  const done = t('$(pass) Disconnected from {0}', withoutLinks(connection.name));
  await tellRevocation(connection, await service.disconnect(connection.id), done);
}

async function remove(service: ConnectionService, connection: Connection): Promise<void> {
  const detail = t(
    'The tokens are revoked at the authorization server and forgotten here, and the server leaves the list.',
  );
  if (!(await confirm(t('Remove {0}?', connection.name), detail, t('Remove')))) return;
  try {
    const done = t('$(pass) Removed {0}', withoutLinks(connection.name));
    await tellRevocation(connection, await service.remove(connection.id), done);
  } catch (error) {
    // A keychain that was reset looks like a locked one, so there must be a way on.
    if (!isConnectionError(error)) throw error;
    const { message } = errorText(error);
    const anyway = t('The server leaves the list, but its tokens are neither revoked nor deleted from the keychain.');
    if (!(await confirm(t('Remove {0} all the same?', connection.name), `${message} ${anyway}`, t('Remove Anyway'))))
      return;
    await service.remove(connection.id, { leaveSecret: true });
  }
}

/** Says whether the tokens are dead at the authorization server too (P35). The button lets the whole text be seen. */
async function tellRevocation({ name }: Connection, { revocation }: DisconnectOutcome, done: string): Promise<void> {
  const plainName = withoutLinks(name);
  switch (revocation) {
    case 'revoked':
    case 'nothing_to_revoke':
      vscode.window.setStatusBarMessage(done, 5000);
      return;
    case 'unsupported':
      await vscode.window.showInformationMessage(
        t(
          '{0}: The tokens are forgotten here. The authorization server cannot revoke tokens, so they end when their time is up.',
          plainName,
        ),
        t('OK'),
      );
      return;
    case 'failed':
      await vscode.window.showWarningMessage(
        t(
          '{0}: The tokens are forgotten here, but the authorization server did not confirm that it revoked them. To be sure, revoke the access in your account there.',
          plainName,
        ),
        t('OK'),
      );
  }
}

async function rename(service: ConnectionService, connection: Connection): Promise<void> {
  const name = await vscode.window.showInputBox({
    title: t('Rename'),
    prompt: t('The name of this connection in the list'),
    value: connection.name,
    validateInput: (text) => {
      if (text.trim() === '') return t('Enter a name.');
      const isTaken = service.connections.some((other) => other.id !== connection.id && other.name === text.trim());
      return isTaken ? t('There is already a connection with this name.') : undefined;
    },
  });
  if (name !== undefined && name.trim() !== connection.name) await service.rename(connection.id, name.trim());
}

async function allowUnadvertisedPkce({ service, signIn }: CommandParts, connection: Connection): Promise<void> {
  const detail = t(
    'Without this protection (PKCE with S256) another program could intercept the sign-in. Allow it only if the people who run the server say that it is there.',
  );
  if (!(await confirm(t('Sign in to {0} all the same?', connection.name), detail, t('Allow')))) return;
  await service.configure(connection.id, { allowUnadvertisedPkce: true });
  await signIn.run(service.get(connection.id) ?? connection);
}

async function copyGatewayUrl(gateway: GatewayService, connection: Connection): Promise<void> {
  await vscode.env.clipboard.writeText(await gateway.gatewayUrl(connection.id));
  const text = t('$(copy) Copied the URL at which programs on this computer reach {0}', withoutLinks(connection.name));
  vscode.window.setStatusBarMessage(text, 5000);
}

async function copySignInUrl(service: ConnectionService, connection: Connection): Promise<void> {
  const url = service.authorizationUrl(connection.id);
  if (url === undefined) {
    void vscode.window.showInformationMessage(t('No sign-in is waiting for a browser.'));
    return;
  }
  await vscode.env.clipboard.writeText(url);
  vscode.window.setStatusBarMessage(t('$(copy) Copied. Open it in a browser that you trust'), 5000);
}

/** For a browser on another computer: what its address bar shows after the sign-in is pasted here. */
async function pasteCallbackUrl(service: ConnectionService): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: t('Paste Callback URL'),
    prompt: t(
      'The address that the browser shows after you signed in, even if it says that the page cannot be reached',
    ),
    placeHolder: 'http://127.0.0.1:…',
    ignoreFocusOut: true,
    validateInput: (value) => (value === '' || URL.canParse(value.trim()) ? undefined : t('This is not a URL.')),
  });
  if (text === undefined || text === '') return;
  const stray = strayText(await service.handleCallback(new URL(text.trim())));
  if (stray !== undefined) {
    const pasteAgain = t('Paste Again…');
    const chosen = await vscode.window.showWarningMessage(stray.message, pasteAgain);
    if (chosen === pasteAgain) await pasteCallbackUrl(service);
  }
}
