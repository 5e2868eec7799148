import { configClients } from './clients.ts';
import type { ConfigClient, ConfigEnvironment, ConfigFile } from './configClient.ts';
import { type ConfigFormat, type ConfigServers, readServers } from './configServers.ts';
import { membersOf, parseJson, valueAt } from './jsonDocument.ts';

/** A file in which a client may have servers. */
export interface ConfigSource {
  readonly client: ConfigClient;
  readonly file: ConfigFile;
}

/** What a file says for all folders, or for one: Claude Code has both in one file. */
export interface ConfigSection extends ConfigServers {
  readonly format: ConfigFormat;
  /** The path of the folder that these servers are for. */
  readonly folder?: string;
}

/**
 * The files of all clients that we know: those of the person, then those of each folder of the workspace. Whether they
 * are there is not looked at.
 * @param workspaces the folders whose files may be read
 */
export function configSources(
  environment: Omit<ConfigEnvironment, 'workspace'>,
  workspaces: readonly string[],
): ConfigSource[] {
  const own = configClients.flatMap((client) => client.files(environment).map((file) => ({ client, file })));
  const shared = workspaces.flatMap((workspace) =>
    configClients.flatMap((client) =>
      client
        .files({ ...environment, workspace })
        .filter(({ scope }) => scope === 'workspace')
        .map((file) => ({ client, file })),
    ),
  );
  return [...own, ...shared];
}

/** How a client's file says which servers there are: for all folders, or for one. */
export function formatOf(client: ConfigClient, folder: string | undefined): ConfigFormat {
  const { foldersKey, serversKey, syntax } = client;
  if (folder === undefined || foldersKey === undefined) return { serversKey, syntax };
  return { serversKey, syntax, within: [foldersKey, folder] };
}

/** All that a client's file says of servers; the part for all folders comes first. Never throws. */
export function readSections(text: string, client: ConfigClient): ConfigSection[] {
  const { syntax, serversKey, foldersKey } = client;
  const general = { ...readServers(text, client), format: formatOf(client, undefined) };
  if (foldersKey === undefined) return [general];
  const folders = membersOf(valueAt(parseJson(text, syntax).root, foldersKey));
  return [
    general,
    ...folders.flatMap(({ name: folder, value }) => {
      if (membersOf(valueAt(value, serversKey)).length === 0) return [];
      const format = formatOf(client, folder);
      return [{ ...readServers(text, format), format, folder }];
    }),
  ];
}
