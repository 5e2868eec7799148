import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type {
  ConfigClient,
  ConfigEnvironment,
  ConfigFile,
  ServerAccess,
  TokenPlace,
} from '../mcpConfig/configClient.ts';
import type { ConfigFiles } from '../mcpConfig/configFiles.ts';
import type { TextRange } from '../mcpConfig/configServers.ts';
import { inputIdOf, variableOf } from '../mcpConfig/snippet.ts';
import { t } from './localize.ts';
import { askDays, lifetimeOf } from './newToken.ts';
import { withoutLinks } from './untrustedText.ts';

/** What the commands that configure other MCP clients need. */
export interface ClientConfigParts {
  readonly gateway: GatewayService;
  readonly configFiles: ConfigFiles;
}

/** A file of a client, in words too. */
export interface ClientTarget {
  readonly client: ConfigClient;
  readonly file: ConfigFile;
  /** Its path from the home folder on. */
  readonly shown: string;
}

/** A token that was made for a client, which must be revoked if it reaches nobody. */
export interface ClientToken {
  /** A secret. */
  readonly token: string;
  readonly accessIds: readonly string[];
}

/** Where files of clients lie for this person, in this workspace. */
export function configEnvironment({ environment }: ConfigFiles): ConfigEnvironment {
  const workspace = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  return { ...environment, ...(workspace !== undefined && { workspace: workspace.uri.fsPath }) };
}

/** Asks how long the token of a client is to be good. `given_up` when the person does not say. */
export async function askClientTokenDays(
  connection: Connection,
  client: ConfigClient,
): Promise<number | undefined | 'given_up'> {
  const answer = await askDays({ title: t('A Token for {0} at {1}', client.name, withoutLinks(connection.name)) });
  return answer.type === 'answered' ? answer.value : 'given_up';
}

/** Makes the token of a client, named after it, for all tools; *Manage Local Clients…* narrows them. Throws `storage_failed`. */
export async function makeClientToken(
  gateway: GatewayService,
  connection: Connection,
  client: ConfigClient,
  days: number | undefined,
): Promise<ClientToken> {
  const before = new Set(gateway.accesses.map(({ id }) => id));
  const token = await gateway.createToken({
    label: client.name,
    connection: connection.id,
    allowedTools: '*',
    ...lifetimeOf(days),
  });
  const isNew = ({ id, kind, label }: GatewayService['accesses'][number]) =>
    !before.has(id) && kind === 'token' && label === client.name;
  return { token, accessIds: gateway.accesses.filter(isNew).map(({ id }) => id) };
}

/** How the client of a server gets in by a token. */
export function tokenAccess(place: TokenPlace, name: string, token: string): ServerAccess {
  switch (place.type) {
    case 'input':
      return { type: 'input', inputId: inputIdOf(name) };
    case 'variable':
      return { type: 'variable', variable: variableOf(name) };
    case 'file':
      return { type: 'file', token };
  }
}

/** What VS Code asks the person when it needs the token. */
export function tokenPrompt(connection: Connection): string {
  return t('Token for {0} at the gateway of Scopekeeper', connection.name);
}

/**
 * Opens a client's file, or an empty one that is saved there.
 * @param offset where the cursor goes
 */
export async function openConfigFile(path: string, offset?: number): Promise<void> {
  const uri = vscode.Uri.file(path);
  const exists = await vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
  const editor = await vscode.window.showTextDocument(exists ? uri : uri.with({ scheme: 'untitled' }), {
    preview: false,
  });
  if (offset !== undefined) showRange(editor, { offset, length: 0 });
}

/** Selects a part of the text that is shown, and brings it into sight. */
export function showRange(editor: vscode.TextEditor, { offset, length }: TextRange): void {
  const { document } = editor;
  editor.selection = new vscode.Selection(document.positionAt(offset), document.positionAt(offset + length));
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
