import * as vscode from 'vscode';

/** An address of the extension in this editor. */
export function editorUri(pathAndQuery: string): vscode.Uri {
  return vscode.Uri.parse(`${vscode.env.uriScheme}://scopekeeper.scopekeeper${pathAndQuery}`);
}

/** The editor asks before it gives a URI to an extension; the person has said yes for ever. */
export async function allowUris(): Promise<void> {
  await vscode.workspace
    .getConfiguration()
    .update(
      'extensions.confirmedUriHandlerExtensionIds',
      ['scopekeeper.scopekeeper'],
      vscode.ConfigurationTarget.Global,
    );
}
