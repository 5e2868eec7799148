import * as vscode from 'vscode';
import type { WindowPlace } from './signInReturn.ts';

/** Where this window's parts are, as the editor says. */
export function windowPlace({ extension }: Pick<vscode.ExtensionContext, 'extension'>): WindowPlace {
  return {
    host: extension.extensionKind === vscode.ExtensionKind.Workspace ? 'workspace' : 'ui',
    remoteName: vscode.env.remoteName,
    isWeb: vscode.env.uiKind === vscode.UIKind.Web,
  };
}
