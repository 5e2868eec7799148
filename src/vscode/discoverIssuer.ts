import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { viewIds } from './ids.ts';
import { t } from './localize.ts';
import { QUIET_MS, settled } from './signIn.ts';
import { withoutLinks } from './untrustedText.ts';

/**
 * The authorization server that a connection's server names now, with progress in the view, and after a while with a
 * notification that lets the person give up: undefined then. Throws what discovery throws.
 */
export async function discoverIssuer(
  service: ConnectionService,
  { id, name }: Connection,
): Promise<string | undefined> {
  const givingUp = new AbortController();
  const givenUp = new Promise<undefined>((resolve) => {
    givingUp.signal.addEventListener('abort', () => resolve(undefined));
  });
  const outcome = Promise.race([givenUp, service.discoverIssuer(id, { signal: givingUp.signal })]);
  const title = t('Asking {0} where to sign in', withoutLinks(name));
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const offerToGiveUp = (): void =>
    // Only shown.
    void vscode.window.withProgress(options, async (_progress, cancellation) => {
      const subscription = cancellation.onCancellationRequested(() => givingUp.abort());
      await settled(outcome);
      subscription.dispose();
    });
  const timer = setTimeout(offerToGiveUp, QUIET_MS);
  try {
    return await vscode.window.withProgress({ location: { viewId: viewIds.servers } }, async () => outcome);
  } finally {
    clearTimeout(timer);
  }
}
