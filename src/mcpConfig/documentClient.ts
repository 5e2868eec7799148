import { configClients } from './clients.ts';
import type { ConfigClient, ConfigEnvironment } from './configClient.ts';

/** Stands for a folder that is not known. */
const SOMEWHERE = '\0';
const PLATFORMS = ['linux', 'darwin', 'win32'] as const;

/** The ends of the paths of all files that clients read, wherever the home folder or the workspace is. */
const endings: readonly (readonly [string, ConfigClient])[] = configClients.flatMap((client) => {
  const files = PLATFORMS.flatMap((platform) =>
    client.files({ platform, home: SOMEWHERE, workspace: SOMEWHERE }).map(({ path }) => path),
  );
  return [...new Set(files.map((path) => folded(path.slice(path.indexOf(SOMEWHERE) + 1))))].map(
    (ending) => [ending, client] as const,
  );
});

/**
 * The client that reads the file of a document, by where it is: in one of the client's places for this person, or by its
 * name in any folder, for it may be on another machine or in another folder of the workspace. Undefined for other files.
 * @param uri of any scheme; only its path counts (VS Code shows the files of its `User` folder as `vscode-userdata:`)
 */
export function clientOfDocument(uri: string, environment: ConfigEnvironment): ConfigClient | undefined {
  const path = folded(pathOf(uri));
  const ofPerson = configClients.find((client) =>
    client.files(environment).some((file) => withRoot(folded(file.path)) === path),
  );
  return ofPerson ?? profileClient(path, environment) ?? endings.find(([ending]) => path.endsWith(ending))?.[1];
}

/** A profile of VS Code has an `mcp.json` of its own, below `User`. */
function profileClient(path: string, { editorUserFolder }: ConfigEnvironment): ConfigClient | undefined {
  const profile = /^(.*\/user)\/profiles\/[^/]+\/mcp\.json$/.exec(path)?.[1];
  const isEditors = editorUserFolder === undefined || profile === withRoot(folded(editorUserFolder));
  return profile !== undefined && isEditors ? configClients.find(({ id }) => id === 'vscode') : undefined;
}

/** Where the case matters two files of such names are both the client's, as far as anybody can tell. */
function folded(path: string): string {
  return path.replaceAll('\\', '/').toLowerCase();
}

/** As the path of a URI has it, which begins with a slash before the letter of a drive. */
function withRoot(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function pathOf(uri: string): string {
  const path = /^[a-z][\w+.-]*:(?:\/\/[^/?#]*)?([^?#]*)/i.exec(uri)?.[1] ?? '';
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
