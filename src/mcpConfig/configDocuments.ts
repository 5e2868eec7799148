import { configClients } from './clients.ts';
import type { ConfigClient, ConfigEnvironment, ConfigScope } from './configClient.ts';

/**
 * The schemes of documents that are files of a person: on this machine, not saved yet, on another one, and VS Code's own
 * settings, which it opens by a scheme of theirs.
 */
export const CONFIG_SCHEMES = ['file', 'untitled', 'vscode-remote', 'vscode-userdata'] as const;
type ConfigScheme = (typeof CONFIG_SCHEMES)[number];

/** A document that configures an MCP client. */
export interface ConfigDocument {
  readonly client: ConfigClient;
  readonly scope: ConfigScope;
}

/** How the documents are found that {@link configDocument} knows. */
export interface ConfigDocumentPattern {
  readonly scheme: ConfigScheme;
  /** A URI of the folder that the pattern counts from; undefined where it counts from anywhere. */
  readonly baseUri?: string;
  /** A glob pattern as in LSP. */
  readonly pattern: string;
}

interface KnownFile extends ConfigDocument {
  /** With `/` between its parts, from a `/` on. */
  readonly path: string;
}

/**
 * The ends of the paths of all clients' files, whatever the machine, the home folder and the workspace. Some clients have
 * the same end in both: in a home folder that is not this person's, it counts as that of a workspace.
 */
const TAILS: readonly KnownFile[] = (['linux', 'darwin', 'win32'] as const)
  .flatMap((platform) => filesOf({ platform, home: '', workspace: '' }))
  .toSorted((a, b) => Number(a.scope === 'user') - Number(b.scope === 'user'));

/** The file of VS Code and its builds, of the default profile and of others. */
const EDITOR_FILE = /\/User\/(?:profiles\/[^/]+\/)?mcp\.json$/;
const EDITOR_GLOBS = ['User/mcp.json', 'User/profiles/*/mcp.json'];

/**
 * The client that a document configures: by the exact path of one of its files here, or by the end of its path, as in
 * every folder of a workspace and on other machines. Undefined for all other documents.
 * @param uri as editors write it, with its path percent-encoded
 */
export function configDocument(uri: string, environment: ConfigEnvironment): ConfigDocument | undefined {
  const { scheme, path } = parseUri(uri) ?? {};
  if (path === undefined || !isConfigScheme(scheme)) return undefined;
  const ignoresCase = environment.platform !== 'linux';
  const fold = (text: string) => (ignoresCase ? text.toLowerCase() : text);
  const folded = fold(path);
  const found =
    filesOf(environment).find((file) => fold(file.path) === folded) ??
    TAILS.find((file) => folded.endsWith(fold(file.path)));
  if (found !== undefined) return { client: found.client, scope: found.scope };
  const isEditors = EDITOR_FILE.test(path) || (scheme === 'vscode-userdata' && path.endsWith('/mcp.json'));
  const editor = isEditors ? configClients.find(({ id }) => id === 'vscode') : undefined;
  return editor && { client: editor, scope: 'user' };
}

/** What an editor selects documents by; a little more than {@link configDocument} knows is among them. */
export function configDocumentPatterns(environment: ConfigEnvironment): readonly ConfigDocumentPattern[] {
  const ends = [...new Set([...TAILS.map(({ path }) => path.slice(1)), ...EDITOR_GLOBS])];
  const anywhere = `**/{${ends.join(',')}}`;
  const elsewhere = filesOf(environment).filter(({ path }) => !TAILS.some((tail) => path.endsWith(tail.path)));
  return [
    ...CONFIG_SCHEMES.map((scheme) => ({ scheme, pattern: anywhere })),
    { scheme: 'vscode-userdata', pattern: '**/mcp.json' },
    ...elsewhere.map(({ path }): ConfigDocumentPattern => {
      const slash = path.lastIndexOf('/');
      return { scheme: 'file', baseUri: fileUri(path.slice(0, slash)), pattern: path.slice(slash + 1) };
    }),
  ];
}

function filesOf(environment: ConfigEnvironment): KnownFile[] {
  return configClients.flatMap((client) =>
    client.files(environment).map(({ path, scope }) => ({ client, scope, path: uriPath(path) })),
  );
}

/** A path as URIs have it: `/c:/Users/me`. */
function uriPath(path: string): string {
  const forward = path.replaceAll('\\', '/').replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
  return forward.startsWith('/') ? forward : `/${forward}`;
}

function fileUri(path: string): string {
  return `file://${path.split('/').map(encodeURIComponent).join('/')}`;
}

function isConfigScheme(scheme: string | undefined): scheme is ConfigScheme {
  return CONFIG_SCHEMES.some((known) => known === scheme);
}

function parseUri(uri: string): { readonly scheme: string; readonly path: string } | undefined {
  const [, scheme, path] = /^([a-z][\w+.-]*):(?:\/\/[^/?#]*)?([^?#]*)/.exec(uri) ?? [];
  if (scheme === undefined || path === undefined) return undefined;
  try {
    return { scheme, path: decodeURIComponent(path) };
  } catch {
    // Escapes that are none: such a name belongs to no client, and a document that no client reads is left alone.
    return undefined;
  }
}
