import * as vscode from 'vscode';

/** Opens an authorization URL that was checked before (P19) in the user's browser. Gives false when that fails. */
export async function openBrowser(url: string): Promise<boolean> {
  try {
    // Typed for a `Uri`, which is encoded a second time on its way; a string passes as it is.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return await vscode.env.openExternal(url as unknown as vscode.Uri);
  } catch {
    return false;
  }
}
