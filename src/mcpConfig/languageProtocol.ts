// What the extension and the language server say to each other beside LSP itself. Nothing here is secret.
import { array, exactOptional, type InferOutput, number, object, picklist, record, string } from 'valibot';
import { CLIENT_IDS } from './configClient.ts';

/** A connection, as the language server shows it over the entries that have its URL. */
export const serverStatusSchema = object({
  id: string(),
  name: string(),
  /** The canonical URL of the MCP server. */
  serverUrl: string(),
  /** Its URL at the gateway, by which a client uses the connection. */
  gatewayUrl: string(),
  health: picklist(['ok', 'working', 'offline', 'attention', 'error', 'failed', 'off']),
  account: exactOptional(string()),
  issuer: exactOptional(string()),
  granted: array(string()),
  missing: array(string()),
  /** In ms since the epoch. */
  expiresAt: exactOptional(number()),
  /** `expires in 42 min · 5 scopes`, in the words of the tree. */
  text: string(),
  /** The last error in the words of the tree. */
  problem: exactOptional(string()),
});
export type ServerStatus = InferOutput<typeof serverStatusSchema>;

/** Extension to server: all connections, after each change and when a text has changed by time. */
export const connectionsNotification = {
  method: 'scopekeeper/connections',
  params: object({ connections: array(serverStatusSchema) }),
};

/** Given with `initialize`: the language of the editor and the translations of what the server says. */
export const initializationSchema = object({
  language: string(),
  /** English message to its translation, as in `l10n/bundle.l10n.*.json`; left out for English. */
  messages: exactOptional(record(string(), string())),
  /** A `ConfigEnvironment`: which files of the person belong to which client. */
  environment: object({
    platform: picklist(['win32', 'darwin', 'linux']),
    home: string(),
    appData: exactOptional(string()),
    configHome: exactOptional(string()),
    codexHome: exactOptional(string()),
    editorUserFolder: exactOptional(string()),
    workspace: exactOptional(string()),
  }),
});
export type Initialization = InferOutput<typeof initializationSchema>;

/** Where an entry is: what code lenses and quick fixes give to a command of the extension. */
export const configServerSchema = object({
  /** Of the document. */
  uri: string(),
  client: picklist(CLIENT_IDS),
  name: string(),
  /** The folder that the server is for, of those that Claude Code keeps below `projects`; left out for all others. */
  folder: exactOptional(string()),
});
export type ConfigServerReference = InferOutput<typeof configServerSchema>;
