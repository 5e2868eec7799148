import { isOAuthError } from '../oauth/errors.ts';
import { parseServerUrl } from '../oauth/serverUrl.ts';
import { errorText } from './errorText.ts';

/**
 * What is wrong with a server URL that is still being typed, in words. That it is not a URL yet is no
 * news while somebody types; it is said when they press Enter.
 */
export function problemWhileTyping(text: string): string | undefined {
  try {
    parseServerUrl(text);
    return undefined;
  } catch (error) {
    if (isOAuthError(error, 'invalid_server_url') && error.details.problem === 'not_a_url') return undefined;
    const { message, nextStep } = errorText(error);
    return `${message} ${nextStep}`;
  }
}
