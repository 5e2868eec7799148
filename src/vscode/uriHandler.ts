import * as vscode from 'vscode';
import type { ConnectionService } from '../connections/connectionService.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { errorText } from './errorText.ts';
import { showError } from './notifications.ts';
import { callbackUrlIn } from './uriCallback.ts';

/** Where sign-ins come back to when the editor itself receives them (P18): it opens such a URI with this extension. */
export function editorRedirectUri(extensionId: string): string {
  return `${vscode.env.uriScheme}://${extensionId}/callback`;
}

/**
 * Takes callbacks that the browser gives to the editor. Whichever way a sign-in wanted its callback: its `state` decides.
 * @param ensureOwner as for a command
 */
export function handleUris(
  service: ConnectionService,
  redirectUri: string,
  ensureOwner: () => Promise<void>,
): vscode.Disposable {
  return vscode.window.registerUriHandler({
    handleUri: async (uri) => {
      const url = callbackUrlIn(uri, redirectUri);
      if (url === undefined) return;
      try {
        await ensureOwner();
      } catch (error) {
        void showError(error);
        return;
      }
      const outcome = await service.handleCallback(url);
      // A sign-in tells of its own end; only a callback that belongs to none is told here.
      if (outcome.type === 'failed' && isStray(outcome.error)) {
        const { message, nextStep } = errorText(outcome.error);
        void vscode.window.showWarningMessage(`${message} ${nextStep}`);
      }
    },
  });
}

function isStray(error: unknown): boolean {
  return isOAuthError(error, 'callback_state_unknown') || isOAuthError(error, 'callback_repeated');
}
