import * as v from 'valibot';
import * as vscode from 'vscode';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import type { GatewayService } from '../../gateway/gatewayService.ts';
import { configClients } from '../../mcpConfig/clients.ts';
import type { ConfigClient } from '../../mcpConfig/configClient.ts';
import type { ConfigFiles } from '../../mcpConfig/configFiles.ts';
import { type ConfigFormat, type ConfiguredServer, readServers } from '../../mcpConfig/configServers.ts';
import { formatOf } from '../../mcpConfig/configSources.ts';
import { entryTokens, type EntryToken, urlWithoutTokens } from '../../mcpConfig/entryTokens.ts';
import { entryUrl, type EntryUrl } from '../../mcpConfig/entryUrl.ts';
import { configServerSchema } from '../../mcpConfig/languageProtocol.ts';
import { canonicalResource, parseServerUrl } from '../../oauth/serverUrl.ts';
import { homePath } from '../clientConfigText.ts';
import { gatewayUrlOf } from '../gatewayUrls.ts';
import type { SignIn } from '../signIn.ts';
import { shownName } from './shownName.ts';
import { tellNoServer, tellReference, tellStarted } from './entryMessages.ts';

/** What acts on an entry of a client's file needs. */
export interface ConfigActionParts {
  readonly service: ConnectionService;
  readonly gateway: GatewayService;
  readonly signIn: Pick<SignIn, 'run'>;
  readonly configFiles: ConfigFiles;
}

/** An entry of a file that is open in the editor, as it was when it was looked at. */
export interface ConfigEntry {
  readonly document: vscode.TextDocument;
  readonly client: ConfigClient;
  readonly format: ConfigFormat;
  readonly server: ConfiguredServer;
  readonly place: EntryUrl;
  readonly tokens: readonly EntryToken[];
  /** The URL without what is secret in it, as a connection has it. */
  readonly serverUrl: string;
  /** Its name, fit to be shown. */
  readonly name: string;
  /** The file, in words. */
  readonly shown: string;
}

/**
 * The entry that a code lens or a quick fix means. Undefined when there is no such entry, or none that one can connect;
 * then the person was told.
 * @param argument a `ConfigServerReference`, from the language server
 * Throws `invalid_server_url` and `insecure_url`.
 */
export async function openEntry(
  { configFiles }: ConfigActionParts,
  argument: unknown,
): Promise<ConfigEntry | undefined> {
  const parsed = v.safeParse(configServerSchema, argument);
  if (!parsed.success) return undefined;
  const reference = parsed.output;
  const client = configClients.find(({ id }) => id === reference.client);
  if (client === undefined) return undefined;
  const format = formatOf(client, reference.folder);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(reference.uri, true));
  const shown = homePath(document.uri.fsPath, configFiles.environment.home);
  const name = shownName(reference.name);
  const server = serverIn(document, format, reference.name);
  if (server === undefined) return tellNoServer(name, shown);
  const place = entryUrl(server);
  if (place === undefined) return tellStarted(name, client);
  if (place.hasReference) return tellReference(name, client);
  const serverUrl = serverUrlOf(place.url);
  return { document, client, format, server, place, tokens: entryTokens(server), serverUrl, name, shown };
}

/** The server of that name in the text as it is now. */
export function serverIn(
  document: vscode.TextDocument,
  format: ConfigFormat,
  name: string,
): ConfiguredServer | undefined {
  return readServers(document.getText(), format).servers.find((one) => one.name === name);
}

/**
 * What a file's URL is to a connection: canonical, and without a token that is written in it.
 * Throws `invalid_server_url` and `insecure_url`.
 */
export function serverUrlOf(url: string): string {
  return canonicalResource(parseServerUrl(urlWithoutTokens(url)));
}

/** The connection whose URL at the gateway an entry has already. */
export async function routedTo(
  { service, gateway }: Pick<ConfigActionParts, 'service' | 'gateway'>,
  { url }: EntryUrl,
): Promise<Connection | undefined> {
  const { connections } = service;
  const urlOf = await gatewayUrlOf(gateway, connections);
  return urlOf === undefined ? undefined : connections.find(({ slug }) => urlOf(slug) === url);
}
