import { isConnectionError } from '../connections/errors.ts';

/** Asks the owner, and once more when it ends before it has answered: for what has the same effect when it is done twice. */
export async function askAgain<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isConnectionError(error, 'owner_gone')) throw error;
    return ask();
  }
}
