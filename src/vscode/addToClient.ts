import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import { configClients } from '../mcpConfig/clients.ts';
import type { ServerAccess } from '../mcpConfig/configClient.ts';
import type { ConfigFileText } from '../mcpConfig/configFiles.ts';
import { addServer, type ConfigEdit, type NewServer, readServers } from '../mcpConfig/configServers.ts';
import { entryUrl } from '../mcpConfig/entryUrl.ts';
import { newServer, snippet } from '../mcpConfig/snippet.ts';
import {
  askClientTokenDays,
  type ClientConfigParts,
  type ClientTarget,
  type ClientToken,
  configEnvironment,
  makeClientToken,
  openConfigFile,
  tokenAccess,
  tokenPrompt,
} from './clientAccess.ts';
import {
  configProblemText,
  fileFailureText,
  homePath,
  scopeText,
  targetText,
  tokenPlaceText,
} from './clientConfigText.ts';
import { t } from './localize.ts';
import { askChoice } from './questions.ts';
import { tellAdded } from './tellAdded.ts';
import { withoutLinks } from './untrustedText.ts';

/** What stands for a token in what the person sees before there is one. */
const HIDDEN = '••••••';

/** Adds a connection to the file of a client, after the person has seen what is written and where. */
export async function addToClient(parts: ClientConfigParts, connection: Connection): Promise<void> {
  const { gateway, configFiles } = parts;
  const target = await pickTarget(parts, connection);
  if (target === undefined) return;
  const before = await readTarget(parts, target);
  if (before === undefined) return;
  const url = await gateway.gatewayUrl(connection.id);
  const known = readServers(before.text, target.client).servers.find((server) => entryUrl(server)?.url === url);
  if (known !== undefined) {
    void tell(t('{0} has this server already, as {1}.', target.shown, withoutLinks(known.name)), target);
    return;
  }
  const days = await askToken(target, connection);
  if (days === 'given_up') return;
  const serverWith = (token: string) =>
    newServer(
      target.client,
      connection.slug,
      { url, access: accessOf(target, connection, days, token) },
      tokenPrompt(connection),
    );
  const isReplacing = await confirmAdding(target, before, serverWith(HIDDEN), days !== 'none');
  if (isReplacing === undefined) return;

  const made = days === 'none' ? undefined : await makeClientToken(gateway, connection, target.client, days);
  const server = serverWith(made?.token ?? '');
  const edit = addServer(before.text, target.client, server, isReplacing);
  const written =
    edit.type === 'edited'
      ? await configFiles.write(before, edit.text)
      : ({ type: 'failed', problem: edit.type } as const);
  if (written.type === 'failed') {
    await revokeToken(parts, made);
    void tell(fileFailureText(written.problem, target.shown), target, async () => addToClient(parts, connection));
    return;
  }
  // Not awaited: the command is over, its message may stay open for ever.
  void tellAdded(parts, {
    target,
    name: server.name,
    before,
    written,
    made,
    revoke: async () => revokeToken(parts, made),
  });
}

/** Lets the person choose a file, those of the clients that are installed first. Undefined when they give up. */
async function pickTarget(
  { configFiles }: ClientConfigParts,
  connection: Connection,
): Promise<ClientTarget | undefined> {
  const environment = configEnvironment(configFiles);
  const targets = configClients.flatMap((client) =>
    client.files(environment).map((file) => ({ client, file, shown: homePath(file.path, environment.home) })),
  );
  const found = await Promise.all(
    targets.map(async (target) => ({ target, isInstalled: await configFiles.isInstalled(target.file) })),
  );
  const sorted = [...found.filter((one) => one.isInstalled), ...found.filter((one) => !one.isInstalled)];
  const answer = await askChoice({
    title: t('Add {0} to an MCP Client', withoutLinks(connection.name)),
    placeholder: t('To which client, in which file?'),
    choices: sorted.map(({ target, isInstalled }) => ({
      value: target,
      label: targetText(target.file, target.client),
      description: target.shown,
      detail: isInstalled ? scopeText(target.file) : t('{0}; not found on this computer', scopeText(target.file)),
    })),
  });
  return answer.type === 'answered' ? answer.value : undefined;
}

/** Reads the file, and says why when it cannot be edited now. */
async function readTarget(
  { configFiles }: ClientConfigParts,
  target: ClientTarget,
): Promise<ConfigFileText | undefined> {
  const uri = vscode.Uri.file(target.file.path).toString();
  if (vscode.workspace.textDocuments.some((document) => document.isDirty && document.uri.toString() === uri)) {
    void tell(t('{0} is open with changes that are not saved. Save it and try again.', target.shown), target);
    return undefined;
  }
  const read = await configFiles.read(target.file.path);
  if (read.type === 'failed') {
    void tell(fileFailureText(read.problem, target.shown), target);
    return undefined;
  }
  const [problem] = readServers(read.file.text, target.client).problems;
  if (problem === undefined) return read.file;
  const line = read.file.text.slice(0, problem.range.offset).split('\n').length;
  void tell(configProblemText(problem, target.client, target.shown, line), target);
  return undefined;
}

/**
 * Asks whether the client signs in or gets a token, and for how long that is good. A file of the workspace never gets
 * one: it goes to others with the folder.
 */
async function askToken(
  { client, file, shown }: ClientTarget,
  connection: Connection,
): Promise<number | undefined | 'none' | 'given_up'> {
  const { tokenPlace } = client;
  if (tokenPlace === undefined || file.scope === 'workspace') return 'none';
  const answer = await askChoice<'sign_in' | 'token'>({
    title: t('Add {0} to {1}', withoutLinks(connection.name), client.name),
    placeholder: t('How does it get in?'),
    choices: [
      {
        value: 'sign_in',
        label: t('It signs in by itself'),
        description: t('recommended'),
        detail: t('You are asked here whether to let it in. Nothing secret is in the file.'),
      },
      {
        value: 'token',
        label: t('By a token'),
        description: t('where it cannot sign in by itself'),
        detail: tokenPlaceText(tokenPlace, client, shown),
      },
    ],
  });
  if (answer.type !== 'answered') return 'given_up';
  return answer.value === 'token' ? askClientTokenDays(connection, client) : 'none';
}

function accessOf(
  { client }: ClientTarget,
  { slug }: Connection,
  days: number | undefined | 'none',
  token: string,
): ServerAccess {
  return days === 'none' || client.tokenPlace === undefined
    ? { type: 'sign-in' }
    : tokenAccess(client.tokenPlace, slug, token);
}

/** Shows what is written, and asks. Gives whether a server of the same name gives way; undefined for no. */
async function confirmAdding(
  target: ClientTarget,
  before: ConfigFileText,
  server: NewServer,
  hasToken: boolean,
): Promise<boolean | undefined> {
  const { client, shown } = target;
  const edit: ConfigEdit = addServer(before.text, client, server);
  if (edit.type === 'broken') {
    void tell(configProblemText(edit.problem, client, shown, 1), target);
    return undefined;
  }
  const isReplacing = edit.type === 'exists';
  const { tokenPlace } = client;
  const paragraphs = [
    snippet(client, server).trimEnd(),
    ...(isReplacing ? [t('It replaces the server {0} that is there.', server.name)] : []),
    ...(hasToken && tokenPlace !== undefined ? [tokenPlaceText(tokenPlace, client, shown)] : []),
    ...(client.id === 'vscode' ? [t('Agent mode in this editor has the server already, also without this.')] : []),
    before.exists
      ? t('All else in the file stays as it is, and a backup is left beside it.')
      : t('The file does not exist yet; it is created.'),
  ];
  const button = isReplacing ? t('Replace') : t('Add');
  const chosen = await vscode.window.showInformationMessage(
    t('Add this to {0}?', shown),
    { modal: true, detail: paragraphs.join('\n\n') },
    button,
  );
  return chosen === button ? isReplacing : undefined;
}

/** Takes back a token that reached nobody. */
async function revokeToken({ gateway }: ClientConfigParts, made: ClientToken | undefined): Promise<void> {
  if (made !== undefined && made.accessIds.length > 0) await gateway.revoke(made.accessIds);
}

async function tell(message: string, target: ClientTarget, again?: () => Promise<void>): Promise<void> {
  const open = t('Open File');
  const tryAgain = t('Try Again');
  const buttons = again === undefined ? [open] : [tryAgain, open];
  const chosen = await vscode.window.showWarningMessage(message, ...buttons);
  if (chosen === open) await openConfigFile(target.file.path);
  if (chosen === tryAgain) await again?.();
}
