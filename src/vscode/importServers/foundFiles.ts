import * as vscode from 'vscode';
import type { ConfigFiles } from '../../mcpConfig/configFiles.ts';
import { type ConfigSource, configSources, readSections } from '../../mcpConfig/configSources.ts';
import { showRange } from '../clientAccess.ts';
import { homePath } from '../clientConfigText.ts';
import { withoutLinks } from '../untrustedText.ts';
import type { FoundFile, ServerPlace } from './serverPlaces.ts';

/**
 * Reads the files of all clients: those of the person, and those of the folders of this workspace unless it is not
 * trusted. Those that are not there are left out.
 */
export async function findConfigFiles(configFiles: ConfigFiles): Promise<readonly FoundFile[]> {
  const { environment } = configFiles;
  const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
  const paths = folders.filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath);
  const sources = configSources(environment, paths);
  const found = await Promise.all(sources.map(async (source) => readSource(configFiles, source)));
  return found.filter((file) => file !== undefined);
}

async function readSource(configFiles: ConfigFiles, source: ConfigSource): Promise<FoundFile | undefined> {
  const { client, file } = source;
  const { path, scope } = file;
  const read = await configFiles.read(path);
  const shown =
    scope === 'workspace'
      ? withoutLinks(vscode.workspace.asRelativePath(path))
      : homePath(path, configFiles.environment.home);
  if (read.type === 'failed') return { ...source, shown, text: '', sections: [], failure: read.problem };
  const { exists, text } = read.file;
  return exists ? { ...source, shown, text, sections: readSections(text, client) } : undefined;
}

/** Opens a file, at the entry of a server if one is given. The text on the screen may be another than that on the disk. */
export async function openAtEntry({ file, section, server }: ServerPlace): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file.file.path));
  const current = readSections(document.getText(), file.client).find(({ folder }) => folder === section.folder);
  const range = current?.servers.find(({ name }) => name === server.name)?.nameRange;
  const editor = await vscode.window.showTextDocument(document, { preview: false });
  if (range !== undefined) showRange(editor, range);
}
