import * as vscode from 'vscode';
import type { ConfigFiles } from '../../mcpConfig/configFiles.ts';
import { type ConfigEdit, readServers } from '../../mcpConfig/configServers.ts';
import { routeServer } from '../../mcpConfig/routedEntry.ts';
import { sameData } from '../../mcpConfig/sameData.ts';
import { editDocument } from '../configActions/editDocument.ts';
import type { CandidatePlace } from './importCandidates.ts';

/** What became of the edit of a file: `failed` with why, as `ConfigFileFailure` and `ConfigEdit` say it. */
export type PlaceRouted =
  | { readonly type: 'routed'; readonly backup?: string }
  | { readonly type: 'failed'; readonly problem: string };

/**
 * Leads the entry at a place to the gateway. A file that is open in the editor is edited there, so that it can be
 * undone; another one gets a backup.
 * @param withoutTokens the text of a file without what is not to be in its backup
 */
export async function routePlace(
  configFiles: ConfigFiles,
  place: CandidatePlace,
  url: string,
  withoutTokens: (path: string, text: string) => string,
): Promise<PlaceRouted> {
  const { file, section, server } = place;
  const edit = (text: string): ConfigEdit => {
    const now = readServers(text, section.format).servers.find(({ name }) => name === server.name);
    if (!sameData(now?.entry, server.entry)) return { type: 'missing' };
    return routeServer(text, section.format, server.name, url);
  };
  const { path } = file.file;
  const uri = vscode.Uri.file(path).toString();
  const document = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri && !one.isClosed);
  if (document !== undefined) {
    const { type } = await editDocument(document, edit);
    return type === 'edited' ? { type: 'routed' } : { type: 'failed', problem: problemOf(type) };
  }
  const read = await configFiles.read(path);
  if (read.type === 'failed') return read;
  const edited = edit(read.file.text);
  if (edited.type !== 'edited') return { type: 'failed', problem: problemOf(edited.type) };
  const written = await configFiles.write(read.file, edited.text, withoutTokens(path, read.file.text));
  if (written.type === 'failed') return written;
  return { type: 'routed', ...(written.backup !== undefined && { backup: written.backup }) };
}

/** An entry that is another one now is told of as a file that was changed. */
function problemOf(type: Exclude<ConfigEdit['type'], 'edited'> | 'changed'): string {
  return type === 'missing' ? 'changed' : type;
}
