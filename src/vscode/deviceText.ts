import type { DevicePrompt } from '../connections/connectionService.ts';
import { t } from './localize.ts';
import { shortUrl, withoutLinks } from './untrustedText.ts';

/** What the person is to do with a device code (RFC 8628 section 3.3), as a sentence goes on. */
export function deviceText({ userCode, verificationUri }: DevicePrompt): string {
  return t('enter {0} at {1}', withoutLinks(userCode), shortUrl(verificationUri));
}

/** The same for a narrow row, whose end is cut off: the code first. */
export function deviceRowText({ userCode, verificationUri }: DevicePrompt): string {
  return t('{0} · enter it at {1}', withoutLinks(userCode), shortUrl(verificationUri));
}
