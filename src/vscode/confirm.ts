import * as vscode from 'vscode';

/**
 * Asks in a modal dialog whether to do something.
 * @param button what the button that does it says
 */
export async function confirm(message: string, detail: string, button: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(message, { modal: true, detail }, button)) === button;
}
