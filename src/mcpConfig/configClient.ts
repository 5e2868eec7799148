/** Where a client's files may lie, and what they are found by. Everything is given, so that each platform can be tested. */
export interface ConfigEnvironment {
  readonly platform: 'win32' | 'darwin' | 'linux';
  /** The home folder of the person. */
  readonly home: string;
  /** `%APPDATA%`, on Windows. */
  readonly appData?: string;
  /** `$XDG_CONFIG_HOME`, where it is set. */
  readonly configHome?: string;
  /** `$CODEX_HOME`, where it is set. */
  readonly codexHome?: string;
  /** The folder `User` of the editor that this runs in, if that is VS Code or a build of it. */
  readonly editorUserFolder?: string;
  /** The first folder of the workspace. */
  readonly workspace?: string;
}

/** For whom a server is configured: for the person everywhere, or for all who open a workspace. */
export type ConfigScope = 'user' | 'workspace';

export const CLIENT_IDS = [
  'vscode',
  'claude-code',
  'claude-desktop',
  'cursor',
  'windsurf',
  'codex',
  'gemini',
  'zed',
  'jetbrains',
] as const;
export type ClientId = (typeof CLIENT_IDS)[number];

/**
 * What a client's parser takes. `json`: neither comments nor a comma after the last element; `json-with-comments`: no
 * such comma; `jsonc`: both, and also where we do not know.
 */
export type ConfigSyntax = 'json' | 'json-with-comments' | 'jsonc' | 'toml';

export interface ConfigFile {
  readonly scope: ConfigScope;
  /** The full path, with the separators of the platform. */
  readonly path: string;
  /** A folder that is there when the client is installed. */
  readonly evidence: string;
}

export type ConfigValue = string | number | boolean | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };
/** What a file says of one server. */
export type ServerEntry = Readonly<Record<string, ConfigValue>>;

/** Where a client gets a local token from, when it is not to sign in by itself. */
export type TokenPlace =
  /** It asks the person, and keeps the token by itself: the file names the question only. */
  | { readonly type: 'input' }
  /** It reads an environment variable, which the file names. */
  | { readonly type: 'variable' }
  /** The token itself is in the file. */
  | { readonly type: 'file' };

/** How a client gets in at the gateway: by OAuth, of which nothing is in the file, or by a token. */
export type ServerAccess =
  | { readonly type: 'sign-in' }
  | { readonly type: 'input'; readonly inputId: string }
  | { readonly type: 'variable'; readonly variable: string }
  /** A secret. */
  | { readonly type: 'file'; readonly token: string };

/** A server that speaks Streamable HTTP, and how to get in there. */
export interface RemoteServer {
  readonly url: string;
  readonly access: ServerAccess;
}

/** An MCP client, as far as its configuration goes. */
export interface ConfigClient {
  readonly id: ClientId;
  /** As its makers write it. */
  readonly name: string;
  readonly syntax: ConfigSyntax;
  /** The property that holds the servers, by their names. */
  readonly serversKey: string;
  /** The property of the person's file that has the same for single folders, by their paths. */
  readonly foldersKey?: string;
  /** Its files on this machine, the most common one first. None when it is configured by hand only. */
  files(environment: ConfigEnvironment): readonly ConfigFile[];
  entry(server: RemoteServer): ServerEntry;
  /** Undefined for a client that always signs in. */
  readonly tokenPlace?: TokenPlace;
  /** The arguments of its own command that adds a server at which it signs in. The first one is the program. */
  command?(name: string, url: string): readonly string[];
}
