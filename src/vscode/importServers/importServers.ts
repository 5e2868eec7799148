import * as vscode from 'vscode';
import { currentGrant, type Connection } from '../../connections/connection.ts';
import type { ConfigActionParts } from '../configActions/configEntry.ts';
import { explainRotation } from '../configActions/entryMessages.ts';
import { shownName } from '../configActions/shownName.ts';
import { gatewayUrlOf } from '../gatewayUrls.ts';
import { commandIds, viewIds } from '../ids.ts';
import { t } from '../localize.ts';
import { askChoice, type Choice } from '../questions.ts';
import { findConfigFiles } from './foundFiles.ts';
import { type ImportCandidate, importCandidates, movableToken } from './importCandidates.ts';
import { type ImportPlan, movesToken, placesToRoute } from './importPlan.ts';
import { importRows } from './importRows.ts';
import { importedText } from './importText.ts';
import { pickCandidates } from './pickCandidates.ts';
import { placesIn } from './serverPlaces.ts';
import { type Imported, takeServers } from './takeServers.ts';

/**
 * Looks into the configuration files of all clients, shows the remote servers there, and takes those that the person
 * ticks. Nothing is connected, edited or sent before that. Throws what `takeServers` throws.
 */
export async function importServers(parts: ConfigActionParts): Promise<void> {
  const { configFiles, gateway, service } = parts;
  const { home } = configFiles.environment;
  const files = await findConfigFiles(configFiles);
  const gatewayUrl = await gatewayUrlOf(gateway, service.connections);
  const { candidates, local } = importCandidates(placesIn(files), service.connections, gatewayUrl);
  const rows = importRows(candidates, files, home);
  if (rows.length === 0) {
    void tellNothing(local); // the command is over, its message may stay open for ever
    return;
  }
  const taken = await pickCandidates(rows, local);
  if (taken === undefined) return;
  const movesTokens = await askTokens(taken);
  if (movesTokens === undefined) return;
  const routes = await askRoutes(taken, movesTokens);
  if (routes === undefined) return;
  const plan: ImportPlan = { candidates: taken, movesTokens, routes };
  const imported = await vscode.window.withProgress({ location: { viewId: viewIds.servers } }, async () =>
    takeServers(parts, plan),
  );
  // The person has said what becomes of these tokens, and no browser opens for them.
  await Promise.all(imported.moved.map(async (connection) => parts.signIn.run(connection)));
  void tellImported(parts, imported); // as above
}

/** Asks what becomes of the tokens in the files, if there are any that can be moved. */
async function askTokens(candidates: readonly ImportCandidate[]): Promise<boolean | undefined> {
  const withToken = candidates.filter((candidate) => movesToken({ movesTokens: true }, candidate));
  if (withToken.length === 0) return false;
  const places = withToken.flatMap((candidate) => {
    const token = movableToken(candidate)?.token;
    return candidate.places.filter(({ tokens }) => tokens.some((one) => one.token === token));
  });
  const where = [...new Set(places.map(({ file }) => file.shown))].join(', ');
  const names = withToken.map(({ name }) => shownName(name)).join(', ');
  const answer = await askChoice({
    title: t('Import Servers from mcp.json'),
    placeholder:
      withToken.length === 1
        ? t('The token of {0} is written in {1}. What becomes of it?', names, where)
        : t('The tokens of {0} are written in {1}. What becomes of them?', names, where),
    choices: [
      {
        value: false,
        label: t('Leave It There'),
        icon: 'file',
        detail: t('The file stays as it is, and you sign in here.'),
      },
      {
        value: true,
        label: t('Move It to the Keychain'),
        icon: 'key',
        detail: t('It goes out of the file, and its client goes through Scopekeeper.'),
      },
    ],
  });
  return answer.type === 'answered' ? answer.value : undefined;
}

/** Asks whether clients are led through the gateway, where that is still open. */
async function askRoutes(
  candidates: readonly ImportCandidate[],
  movesTokens: boolean,
): Promise<ImportPlan['routes'] | undefined> {
  const filesOf = (routes: ImportPlan['routes']) => {
    const places = candidates.flatMap((candidate) => {
      const moved = movesToken({ movesTokens }, candidate) ? movableToken(candidate)?.token : undefined;
      return placesToRoute({ routes }, candidate, moved);
    });
    return new Set(places.map(({ file }) => file.shown));
  };
  const [none, own, all] = [filesOf('none'), filesOf('own'), filesOf('all')];
  if (all.size === none.size) return 'none';
  const choices: Choice<ImportPlan['routes']>[] = [
    {
      value: 'none',
      label: t('Add Them Here Only'),
      icon: 'list-unordered',
      detail: t('The clients go on as they do now.'),
    },
  ];
  if (own.size > none.size) {
    choices.push({
      value: 'own',
      label: t('Use Them Through Scopekeeper, Too'),
      description: [...own].filter((file) => !none.has(file)).join(', '),
      icon: 'plug',
      detail: t('Only the entries are changed, and a backup is left beside each file.'),
    });
  }
  if (all.size > own.size) {
    choices.push({
      value: 'all',
      label: t('Also in the Files of This Workspace'),
      description: [...all].filter((file) => !own.has(file)).join(', '),
      icon: 'root-folder',
      detail: t('Others who have these files do not have this gateway.'),
    });
  }
  const answer = await askChoice({
    title: t('Import Servers from mcp.json'),
    placeholder: t('How do the clients go on?'),
    choices,
  });
  return answer.type === 'answered' ? answer.value : undefined;
}

async function tellNothing(local: number): Promise<void> {
  const connect = t('Connect Server…');
  const text =
    local === 0
      ? t('No configuration file of an MCP client on this computer names a server.')
      : t(
          'The configuration files of MCP clients on this computer name local programs only, which need no connection.',
        );
  const chosen = await vscode.window.showInformationMessage(text, connect);
  if (chosen === connect) await vscode.commands.executeCommand(commandIds.connectServer);
}

/** Says what was done, with a way to sign in: no browser opens before that. */
async function tellImported({ service, signIn }: ConfigActionParts, imported: Imported): Promise<void> {
  const { added, failures, moved, versionedFiles } = imported;
  const left = added.filter((connection) => !moved.includes(connection));
  const signInButton = left.length > 1 ? t('Sign In to All') : t('Sign In');
  const learn = t('Learn Why');
  const buttons = [...(left.length > 0 ? [signInButton] : [t('OK')]), ...(versionedFiles.length > 0 ? [learn] : [])];
  const text = importedText(imported);
  const isFine = failures.length === 0 && versionedFiles.length === 0;
  const chosen = isFine
    ? await vscode.window.showInformationMessage(text, ...buttons)
    : await vscode.window.showWarningMessage(text, ...buttons);
  if (chosen === learn) await explainRotation();
  if (chosen !== signInButton) return;
  const isOpen = ({ id }: Connection) => {
    const current = service.get(id);
    return current !== undefined && currentGrant(current) === undefined;
  };
  // One after the other: each may open a page in the browser.
  for (const connection of left.filter(isOpen)) await signIn.run(connection);
}
