import type { Connection } from '../../connections/connection.ts';
import { actionLabel, type CommandCall, commandOf } from '../errorActions.ts';
import { errorText } from '../errorText.ts';

/** What helps against the last error of a connection, as a button. */
export interface Fix {
  readonly label: string;
  readonly call: CommandCall;
}

/** The button that helps against a connection's last error; undefined where signing in is all that can be done. */
export function lastErrorFix(connection: Connection): Fix | undefined {
  const { lastError } = connection;
  const action = lastError === undefined ? undefined : errorText(lastError).action;
  if (action === undefined || action === 'try_again' || action === 'sign_in') return undefined;
  const call = commandOf(action, connection);
  return call && { label: actionLabel(action), call };
}
