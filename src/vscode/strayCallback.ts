import type { CallbackOutcome } from '../connections/connectionService.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { errorText } from './errorText.ts';
import type { ErrorText } from './errorWords.ts';

/**
 * What there is to tell of a callback that belongs to no sign-in that waits, or to none any more (P16); undefined for
 * another one, since a sign-in tells of its own end.
 */
export function strayText(outcome: CallbackOutcome): ErrorText | undefined {
  if (outcome.type === 'connected') return undefined;
  const { error } = outcome;
  const isStray = isOAuthError(error, 'callback_state_unknown') || isOAuthError(error, 'callback_repeated');
  return isStray ? errorText(error) : undefined;
}
