import * as vscode from 'vscode';
import type { Connection } from '../../connections/connection.ts';
import { entryUrl } from '../../mcpConfig/entryUrl.ts';
import { addToClient } from '../addToClient.ts';
import type { ClientConfigParts } from '../clientAccess.ts';
import { homePath } from '../clientConfigText.ts';
import { shownName } from '../configActions/shownName.ts';
import { t } from '../localize.ts';
import { askChoice } from '../questions.ts';
import { joined } from '../rowText.ts';
import { withoutLinks } from '../untrustedText.ts';
import { findConfigFiles, openAtEntry } from './foundFiles.ts';
import { urlOfEntry } from './importCandidates.ts';
import { placesIn, type ServerPlace } from './serverPlaces.ts';

/** Opens the file of a client that names this server, at its entry: by its own URL, or by that at the gateway. */
export async function showInConfig(parts: ClientConfigParts, connection: Connection): Promise<void> {
  const { configFiles, gateway } = parts;
  const name = withoutLinks(connection.name);
  const gatewayUrl = await gateway.gatewayUrl(connection.id);
  const isRouted = ({ server }: ServerPlace) => entryUrl(server)?.url === gatewayUrl;
  const places = placesIn(await findConfigFiles(configFiles)).filter(
    (place) => isRouted(place) || urlOfEntry(place.server) === connection.serverUrl,
  );
  const [only, ...others] = places;
  if (only === undefined) {
    void offerToAdd(parts, connection); // the command is over, its message may stay open for ever
    return;
  }
  if (others.length === 0) {
    await openAtEntry(only);
    return;
  }
  const { home } = configFiles.environment;
  const answer = await askChoice({
    title: t('Show {0} in mcp.json', name),
    placeholder: t('In which file?'),
    choices: places.map((place) => ({
      value: place,
      label: place.file.client.name,
      description: place.file.shown,
      detail: joined(
        shownName(place.server.name),
        place.section.folder === undefined ? undefined : t('for {0}', homePath(place.section.folder, home)),
        isRouted(place) ? t('through Scopekeeper') : t('directly'),
      ),
    })),
  });
  if (answer.type === 'answered') await openAtEntry(answer.value);
}

async function offerToAdd(parts: ClientConfigParts, connection: Connection): Promise<void> {
  const add = t('Add to MCP Client…');
  const chosen = await vscode.window.showInformationMessage(
    t('No configuration file of an MCP client names {0}.', withoutLinks(connection.name)),
    add,
  );
  if (chosen === add) await addToClient(parts, connection);
}
