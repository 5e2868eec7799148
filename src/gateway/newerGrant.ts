import { type Connection, type ConnectionId, currentGrant } from '../connections/connection.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import { isOAuthError } from '../oauth/errors.ts';
import type { GatewayConnections } from './ports.ts';

/** How waiting for the person ended. */
export type WaitOutcome = 'granted' | 'denied' | 'declined' | 'late' | 'gone';

export type OnDidDecline = (listener: (id: ConnectionId) => void) => Disposable;

export interface NewerGrantOptions {
  readonly connections: GatewayConnections;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The generation of the grant that was not enough; 0 for none. */
  readonly generation: number;
  /** Tells that the person has left it at that for now. */
  readonly onDidDecline: OnDidDecline;
  /** Takes what ends the waiting because nobody waits for it any more. */
  readonly onCancel: (cancel: () => void) => void;
}

/**
 * Waits until the person has given the connection a newer grant that demands nothing more. A renewal alone is none: it
 * leaves what is demanded as it is. Never rejects.
 */
export async function newerGrant(connection: Connection, options: NewerGrantOptions): Promise<WaitOutcome> {
  const { clock, connections, generation, onCancel, onDidDecline, timeoutMs } = options;
  const { id, lastError: errorBefore } = connection;

  const outcomeOf = (now: Connection | undefined): WaitOutcome | undefined => {
    if (now === undefined) return 'gone';
    if (now.state.type === 'ready' && now.state.grant.generation > generation) return 'granted';
    const { lastError } = now;
    // Of the question that was asked meanwhile, and not of an earlier one.
    const isDenied = lastError !== errorBefore && isOAuthError(lastError, 'authorization_denied');
    return isDenied && now.state.type !== 'authorizing' ? 'denied' : undefined;
  };

  const already = outcomeOf(connections.get(id));
  if (already !== undefined) return already;
  return new Promise((resolve) => {
    const waiting: Disposable[] = [];
    const settle = (outcome: WaitOutcome): void => {
      for (const one of waiting) one.dispose();
      resolve(outcome);
    };
    waiting.push(
      clock.after(timeoutMs, () => settle('late')),
      onDidDecline((declined) => {
        if (declined === id) settle('declined');
      }),
      connections.onDidChangeConnection((change) => {
        if (change.connection.id !== id) return;
        const outcome = change.type === 'removed' ? 'gone' : outcomeOf(change.connection);
        if (outcome !== undefined) settle(outcome);
      }),
    );
    onCancel(() => settle('gone'));
  });
}

/** The generation of the grant in use; 0 for none. */
export function generationOf(connection: Connection): number {
  return currentGrant(connection)?.generation ?? 0;
}
