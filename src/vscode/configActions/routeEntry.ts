import * as vscode from 'vscode';
import { currentGrant, type Connection } from '../../connections/connection.ts';
import { isSurelyBearer } from '../../mcpConfig/entryTokens.ts';
import { leavesWhenRouted, lostByRouting, routeServer } from '../../mcpConfig/routedEntry.ts';
import { sameData } from '../../mcpConfig/sameData.ts';
import { t } from '../localize.ts';
import { askChoice, type Choice } from '../questions.ts';
import { withoutLinks } from '../untrustedText.ts';
import { type ConfigActionParts, type ConfigEntry, openEntry, routedTo, serverIn } from './configEntry.ts';
import { connectAt } from './connectEntry.ts';
import { connectionTo, keepToken } from './entryConnection.ts';
import { editDocument } from './editDocument.ts';
import {
  type Edited,
  tellChanged,
  tellEdited,
  tellNoServer,
  tellNoToken,
  tellOtherSecrets,
  tellProblem,
  tellRouted,
} from './entryMessages.ts';

/** What becomes of a token that is written in an entry. */
type TokenDecision = 'keep' | 'drop';

/**
 * Leads an entry through the gateway, with the connection to its server: one that is there, or one that is made, where
 * the person signs in. Throws what `openEntry` throws, what the keychain says and `owner_gone`.
 */
export async function useThroughGateway(parts: ConfigActionParts, argument: unknown): Promise<void> {
  const entry = await entryToRoute(parts, argument);
  if (entry === undefined) return;
  const decision = entry.tokens.some(leavesWhenRouted) ? await askToken(parts, entry) : 'none';
  if (decision === undefined) return;
  if (decision === 'keep') {
    await moveToken(parts, entry);
    return;
  }
  await routeConnected(parts, entry, decision === 'drop' ? 'dropped' : 'none');
}

/**
 * Moves the token that is written in an entry to the keychain, and leads the entry through the gateway, which sends it
 * from there. The file is edited only once the token is stored. Throws what `openEntry` throws, what the keychain says
 * and `owner_gone`; then the file is as it was.
 */
export async function moveTokenToKeychain(parts: ConfigActionParts, argument: unknown): Promise<void> {
  const entry = await entryToRoute(parts, argument);
  if (entry === undefined) return;
  const [token] = entry.tokens;
  if (token?.canMove !== true) {
    tellNoToken(entry.name, entry.shown);
    return;
  }
  if (lostByRouting(entry.tokens, token.token).length > 0) {
    tellOtherSecrets(entry.name, entry.shown);
    return;
  }
  const isKnown = connectionTo(parts.service, entry.serverUrl) !== undefined;
  const decision = isKnown ? await askToken(parts, entry) : 'keep';
  if (decision === 'keep') await moveToken(parts, entry);
  else if (decision === 'drop') await routeConnected(parts, entry, 'dropped');
}

/** The entry, if it can be edited and does not lead through the gateway yet. */
async function entryToRoute(parts: ConfigActionParts, argument: unknown): Promise<ConfigEntry | undefined> {
  const entry = await openEntry(parts, argument);
  if (entry === undefined) return undefined;
  const routed = await routedTo(parts, entry.place);
  if (routed !== undefined) return tellRouted(entry.name, withoutLinks(routed.name));
  // Before anything is asked, stored or signed in to.
  const { document, format, server, place } = entry;
  const edit = routeServer(document.getText(), format, server.name, place.url);
  return edit.type === 'broken' ? tellProblem(edit.problem, document, entry) : entry;
}

/** Asks what becomes of the token in an entry that is to be routed. Undefined when the person gives up. */
async function askToken(
  { service }: ConfigActionParts,
  { name, serverUrl, shown, tokens }: ConfigEntry,
): Promise<TokenDecision | undefined> {
  const known = connectionTo(service, serverUrl);
  const lost = [...new Set(lostByRouting(tokens, undefined).map(({ token }) => token))];
  const keep: Choice<TokenDecision> = {
    value: 'keep',
    label: t('Move It to the Keychain'),
    icon: 'key',
    detail:
      known === undefined
        ? t('Scopekeeper sends it to the server from there.')
        : t('As another connection to this server, from which Scopekeeper sends it.'),
  };
  const drop: Choice<TokenDecision> = {
    value: 'drop',
    label: known === undefined ? t('Sign In Instead') : t('Use {0} Instead', withoutLinks(known.name)),
    icon: 'account',
    detail:
      lost.length > 1
        ? t('All of them go out of the file, and none is kept.')
        : t('The token goes out of the file and is not kept.'),
  };
  // Scopekeeper sends one token: where there is more, the person decides whether the rest is needed.
  const canMove = tokens[0]?.canMove === true && lost.length === 1;
  const answer = await askChoice({
    title: t('Use {0} Through Scopekeeper', name),
    placeholder: canMove
      ? t('A token is written in {0}. What becomes of it?', shown)
      : lost.length > 1
        ? t('Several secrets are written in {0}, and Scopekeeper cannot send all of them.', shown)
        : t('What is written in {0} is no bearer token, so Scopekeeper cannot send it.', shown),
    choices: canMove ? [keep, drop] : [drop],
  });
  return answer.type === 'answered' ? answer.value : undefined;
}

async function moveToken(parts: ConfigActionParts, entry: ConfigEntry): Promise<void> {
  const { service, signIn } = parts;
  const [token] = entry.tokens;
  if (token === undefined) return;
  const connection = await keepToken(service, entry, token.token);
  // Of one that stood in the URL nobody knows yet whether the server takes it in a header.
  const isTried = !isSurelyBearer(token);
  if (isTried) {
    await signIn.run(connection);
    if (currentGrant(service.get(connection.id) ?? connection) === undefined) return;
  }
  await route(parts, entry, connection, 'moved');
  if (!isTried) await signIn.run(connection);
}

/** Routes an entry to the connection to its server, at which the person signs in first unless they are. */
async function routeConnected(parts: ConfigActionParts, entry: ConfigEntry, token: Edited['token']): Promise<void> {
  const known = connectionTo(parts.service, entry.serverUrl);
  const isReady = known !== undefined && currentGrant(known) !== undefined;
  const connection = isReady ? known : await connectAt(parts, entry);
  if (connection !== undefined) await route(parts, entry, connection, token);
}

async function route(
  { configFiles, gateway }: ConfigActionParts,
  { document: { uri }, client, format, server, name, shown }: ConfigEntry,
  { id }: Connection,
  token: Edited['token'],
): Promise<void> {
  const url = await gateway.gatewayUrl(id);
  const edited = { name, client, shown, token, isVersioned: await configFiles.isVersioned(uri.fsPath) };
  // A sign-in takes its time, in which the person may have written something else, or closed the file: a closed
  // document does not hear of what is written any more.
  const document = await openedAgain(uri);
  if (document === undefined) {
    tellNoServer(name, shown);
    return;
  }
  const isSame = sameData(serverIn(document, format, server.name)?.entry, server.entry);
  const done = isSame
    ? await editDocument(document, (text) => routeServer(text, format, server.name, url))
    : ({ type: 'changed' } as const);
  switch (done.type) {
    case 'edited':
      void tellEdited({ ...edited, isSaved: done.isSaved }); // its message may stay open for ever
      return;
    case 'broken':
      tellProblem(done.problem, document, edited);
      return;
    case 'missing':
      tellNoServer(name, shown);
      return;
    default:
      tellChanged(name, shown);
  }
}

/** The document of a file as it is now; undefined when the file is not there any more. */
async function openedAgain(uri: vscode.Uri): Promise<vscode.TextDocument | undefined> {
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch {
    return undefined;
  }
}
