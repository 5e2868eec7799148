import type { Connection } from '../connection.ts';
import type { AuthorizationTrace } from '../trace.ts';
import type { Observations } from './observations.ts';

/** What findings are made from. */
export interface Facts {
  readonly observations: Observations;
  /** Undefined for a URL that is not connected. */
  readonly connection: Connection | undefined;
  readonly lastSignIn: AuthorizationTrace | undefined;
  /** Whether there is a client metadata document to show (P8). */
  readonly hasClientDocument: boolean;
}

/** Whether the person signs in to the server in a browser of this machine. */
export function isInBrowser({ connection }: Facts): boolean {
  return connection === undefined || connection.kind === 'authorization_code';
}
