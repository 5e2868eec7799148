import * as vscode from 'vscode';

/** What other windows call this one: its workspace and its editor. */
export function describeWindow(): string {
  const workspace = vscode.workspace.name;
  return workspace === undefined ? vscode.env.appName : `${workspace} – ${vscode.env.appName}`;
}
