import type { ConfigEnvironment, ConfigFile, RemoteServer, ServerAccess, ServerEntry } from './configClient.ts';

/** Joins as the platform does. The parts need no normalizing. */
export function joinPath({ platform }: ConfigEnvironment, ...parts: readonly string[]): string {
  return parts.join(platform === 'win32' ? '\\' : '/');
}

/** Where desktop programs keep their settings: `%APPDATA%`, `Application Support`, or the XDG base directory. */
export function roamingFolder(environment: ConfigEnvironment): string {
  const { platform, home, appData, configHome } = environment;
  if (platform === 'win32') return appData ?? joinPath(environment, home, 'AppData', 'Roaming');
  if (platform === 'darwin') return joinPath(environment, home, 'Library', 'Application Support');
  return configHome ?? joinPath(environment, home, '.config');
}

/** A file of the person, below the home folder. */
export function atHome(
  environment: ConfigEnvironment,
  path: readonly string[],
  evidence: readonly string[],
): ConfigFile {
  const { home } = environment;
  return {
    scope: 'user',
    path: joinPath(environment, home, ...path),
    evidence: joinPath(environment, home, ...evidence),
  };
}

/** A file of the workspace, when there is one. */
export function inWorkspace(
  environment: ConfigEnvironment,
  evidence: string,
  ...path: readonly string[]
): ConfigFile[] {
  const { workspace } = environment;
  if (workspace === undefined) return [];
  return [{ scope: 'workspace', path: joinPath(environment, workspace, ...path), evidence }];
}

/** How Windsurf names an environment variable. */
export function variableHeader(name: string): string {
  return `Bearer \${env:${name}}`;
}

/**
 * The entry with the header that the access takes.
 * @param refer how the client names an input, or an environment variable, in a header
 */
export function withHeaders(entry: ServerEntry, access: ServerAccess, refer?: (name: string) => string): ServerEntry {
  const value = headerValue(access, refer);
  return value === undefined ? entry : { ...entry, headers: { Authorization: value } };
}

function headerValue(access: ServerAccess, refer?: (name: string) => string): string | undefined {
  switch (access.type) {
    case 'sign-in':
      return undefined;
    case 'input':
      return refer?.(access.inputId);
    case 'variable':
      return refer?.(access.variable);
    case 'file':
      return `Bearer ${access.token}`;
  }
}

/**
 * A bridge for clients that start programs only: mcp-remote signs in by itself, and takes http of 127.0.0.1 (tried with
 * 0.15.1). A header comes from the environment, since on Windows arguments with blanks are cut in some clients, as its
 * README says.
 */
export function bridgeEntry({ url, access }: RemoteServer): ServerEntry {
  const args = ['-y', 'mcp-remote', url];
  if (access.type !== 'file') return { command: 'npx', args };
  return {
    command: 'npx',
    args: [...args, '--header', 'Authorization:${SCOPEKEEPER_AUTHORIZATION}'],
    env: { SCOPEKEEPER_AUTHORIZATION: `Bearer ${access.token}` },
  };
}
