import * as vscode from 'vscode';
import type { ConnectionService } from '../connections/connectionService.ts';
import { showError } from './notifications.ts';
import { strayText } from './strayCallback.ts';
import { callbackUrlIn } from './uriCallback.ts';

/** Where sign-ins come back to when the editor itself receives them (P18): it opens such a URI with this extension. */
export function editorRedirectUri(extensionId: string): string {
  return `${vscode.env.uriScheme}://${extensionId}/callback`;
}

/**
 * Takes callbacks that the browser gives to the editor, which may give it to any of its windows. Whichever way a sign-in
 * wanted its callback: its `state` decides.
 */
export function handleUris(service: ConnectionService, redirectUri: string): vscode.Disposable {
  return vscode.window.registerUriHandler({
    handleUri: async (uri) => {
      const url = callbackUrlIn(uri, redirectUri);
      if (url === undefined) return;
      try {
        // A sign-in tells of its own end; only a callback that belongs to none is told here.
        const stray = strayText(await service.handleCallback(url));
        if (stray !== undefined) void vscode.window.showWarningMessage(`${stray.message} ${stray.nextStep}`);
      } catch (error) {
        void showError(error);
      }
    },
  });
}
