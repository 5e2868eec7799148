import { plainText } from '../../oauth/errors.ts';
import { withoutLinks } from '../untrustedText.ts';

/** A name longer than this is cut. */
const LONGEST_NAME = 60;

/** A server's name in a file, fit to be shown and to be that of a connection. */
export function shownName(name: string): string {
  return withoutLinks(plainText(name, LONGEST_NAME) ?? '');
}
