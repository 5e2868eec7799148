import { isConnectionError, isKeychainError } from '../connections/errors.ts';
import type { RoleState } from '../owner/windowRole.ts';

/** What keeps a window from the connections, as far as the way out of it differs. */
export type Trouble = 'none' | 'port' | 'file' | 'keychain' | 'version' | 'other';

/** The trouble that a window is in; it chooses the words and the buttons of the view. */
export function troubleOf(state: RoleState): Trouble {
  if (state.type !== 'blocked') return 'none';
  const { error } = state;
  if (isKeychainError(error)) return 'keychain';
  if (!isConnectionError(error)) return 'other';
  switch (error.code) {
    case 'port_busy':
      return 'port';
    case 'storage_failed':
    case 'storage_broken':
      return 'file';
    case 'storage_too_new':
    case 'window_outdated':
      return 'version';
    default:
      return 'other';
  }
}
