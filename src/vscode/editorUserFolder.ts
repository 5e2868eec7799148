import * as vscode from 'vscode';

/** Editors made of VS Code that keep their MCP servers elsewhere, by the scheme of their links. */
const OTHER_EDITORS = new Set(['cursor', 'windsurf', 'devin']);

/**
 * The folder with the settings of this editor, which other builds and remote hosts have elsewhere than VS Code itself.
 * That of the default profile: others are not told to extensions. Undefined in editors that have other files.
 */
export function editorUserFolder({ globalStorageUri }: vscode.ExtensionContext): string | undefined {
  if (OTHER_EDITORS.has(vscode.env.uriScheme)) return undefined;
  // <User>/globalStorage/<extension>
  return vscode.Uri.joinPath(globalStorageUri, '..', '..').fsPath;
}
