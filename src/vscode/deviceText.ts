import type { DevicePrompt } from '../connections/connectionService.ts';
import { t } from './localize.ts';
import { shortUrl, withoutLinks } from './untrustedText.ts';

/** What the person is to do with a device code (RFC 8628 section 3.3), in one line; the code first, since lines are cut. */
export function deviceText({ userCode, verificationUri }: DevicePrompt): string {
  return t('enter {0} at {1}', withoutLinks(userCode), shortUrl(verificationUri));
}
