import { isConnectionError } from '../connections/errors.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { connectionErrorText } from './connectionErrorText.ts';
import { unexpectedText, type ErrorText } from './errorWords.ts';
import { oauthErrorText } from './oauthErrorText.ts';

/**
 * Turns whatever was thrown into words: the one place that all messages, tooltips and pages ask. Holds no
 * secret. What is not one of our errors is called a fault of this extension.
 */
export function errorText(error: unknown): ErrorText {
  if (isOAuthError(error)) return oauthErrorText(error);
  if (isConnectionError(error)) return connectionErrorText(error);
  return unexpectedText();
}
