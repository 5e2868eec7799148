import type { OAuthErrorDetails } from '../oauth/errors.ts';
import type { ErrorText } from './errorWords.ts';
import { t } from './localize.ts';
import { shortPath, shortUrl } from './untrustedText.ts';

/** The words for a request that got no HTTP answer. */
export function unreachableText({ url, failure, proxyStatus }: OAuthErrorDetails['server_unreachable']): ErrorText {
  const host = shortUrl(url);
  switch (failure) {
    case 'dns':
      return {
        summary: t('host not found'),
        message: t('The host of {0} was not found.', host),
        nextStep: t('Check the URL and your network. If your network needs a proxy, set http.proxy.'),
        action: 'try_again',
      };
    case 'refused':
      return {
        summary: t('nothing answers'),
        message: t('Nothing answers at {0}; the server may be down.', host),
        nextStep: t('Check that it is running. If your network needs a proxy, set http.proxy.'),
        action: 'try_again',
      };
    case 'timeout':
      return {
        summary: t('no answer in time'),
        message: t('{0} did not answer in time.', host),
        nextStep: t('Check your network, then try again. If your network needs a proxy, set http.proxy.'),
        action: 'try_again',
      };
    case 'tls':
      return {
        summary: t('certificate not trusted'),
        message: t('No safe connection to {0} could be made: its certificate is not trusted here.', host),
        nextStep: t(
          'If your company has its own certificate authority, choose the file with its certificate; else tell the people who run the server.',
        ),
        action: 'choose_ca_file',
      };
    case 'proxy':
      return proxyText(host, proxyStatus);
    case 'reset':
    case 'other':
      return {
        summary: t('connection lost'),
        message: t('The network connection to {0} broke.', host),
        nextStep: t('Check your network, then try again.'),
        action: 'try_again',
      };
  }
}

function proxyText(host: string, status: number | undefined): ErrorText {
  const base = { nextStep: t('Check http.proxy in the settings.'), action: 'open_proxy_settings' } as const;
  if (status === undefined) {
    return {
      ...base,
      summary: t('proxy does not answer'),
      message: t('The proxy on the way to {0} could not be reached, or did not answer.', host),
    };
  }
  if (status === 407) {
    return {
      ...base,
      summary: t('proxy wants a sign-in'),
      message: t('The proxy on the way to {0} wants a user name and a password (status 407).', host),
    };
  }
  return {
    ...base,
    summary: t('proxy refused'),
    message: t('The proxy on the way to {0} did not let the connection through (status {1}).', host, status),
    nextStep: t('Check the URL, and http.proxy in the settings.'),
  };
}

/** The words for a file with certificate authorities that is of no use. */
export function caFileText({ path, problem, from }: OAuthErrorDetails['ca_file_unreadable']): ErrorText {
  const file = shortPath(path);
  const messages = {
    relative_path: () => t('{0}, the file with more certificate authorities, is not given by its full path.', file),
    unreadable: () => t('The file with more certificate authorities, {0}, cannot be read.', file),
    no_certificate: () => t('The file with more certificate authorities, {0}, is no list of certificates (PEM).', file),
  };
  return {
    summary: t('certificate file unusable'),
    message: messages[problem](),
    ...(from === 'setting'
      ? { nextStep: t('Check Scopekeeper’s setting for that file.'), action: 'open_ca_setting' }
      : { nextStep: t('Choose another file.'), action: 'choose_ca_file' }),
  };
}
