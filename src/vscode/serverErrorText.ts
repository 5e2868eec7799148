import type { AnyOAuthError, UrlRole } from '../oauth/errors.ts';
import type { ErrorText } from './errorWords.ts';
import { t } from './localize.ts';
import { caFileText, unreachableText } from './networkErrorText.ts';
import { quoted, shortUrl } from './untrustedText.ts';

/** What goes wrong on the way from a server's URL to its authorization server. */
type ServerErrorCode =
  | 'invalid_server_url'
  | 'insecure_url'
  | 'address_refused'
  | 'server_unreachable'
  | 'ca_file_unreadable'
  | 'response_too_large'
  | 'redirect_refused'
  | 'authorization_not_required'
  | 'not_an_mcp_server'
  | 'resource_metadata_invalid'
  | 'resource_mismatch'
  | 'authorization_server_not_found'
  | 'issuer_not_named'
  | 'issuer_mismatch';

/** The words for what goes wrong in reaching a server and in finding out where to sign in. Of URLs only host and path are shown. */
export function serverErrorText(error: Extract<AnyOAuthError, { readonly code: ServerErrorCode }>): ErrorText {
  switch (error.code) {
    case 'invalid_server_url':
      return invalidServerUrlText(error.details.problem);
    case 'insecure_url':
      return insecureUrlText(error.details.url, error.details.role);
    case 'address_refused':
      return {
        summary: t('private address refused'),
        message: t(
          'Scopekeeper did not go to {0}: {1} is a private or reserved address, to which a server on the internet may not lead.',
          shortUrl(error.details.url),
          error.details.address,
        ),
        nextStep: t('Check the server’s URL, or tell the people who run the server.'),
        action: 'change_url',
      };
    case 'server_unreachable':
      return unreachableText(error.details);
    case 'ca_file_unreadable':
      return caFileText(error.details);
    case 'response_too_large':
      return {
        summary: t('answer too large'),
        message: t(
          '{0} sent an answer that is far too large (over {1} KB), so it was not read.',
          shortUrl(error.details.url),
          Math.round(error.details.limitBytes / 1024),
        ),
        nextStep: t('Check that the URL is that of an MCP server.'),
        action: 'change_url',
      };
    case 'redirect_refused':
      return {
        summary: t('redirect refused'),
        message: t(
          '{0} sent Scopekeeper on to {1}, which is not safe to follow.',
          shortUrl(error.details.url),
          shortUrl(error.details.location),
        ),
        nextStep: t('If that is where the server lives now, connect to that URL.'),
        action: 'change_url',
      };
    case 'authorization_not_required':
      return {
        summary: t('needs no sign-in'),
        message: t(
          '{0} lets everyone in without signing in, so there is nothing to connect.',
          shortUrl(error.details.url),
        ),
        nextStep: t('Use it in your MCP client as it is, or enter the URL of another server.'),
        action: 'change_url',
      };
    case 'not_an_mcp_server':
      return notAServerText(shortUrl(error.details.url), error.details.status, error.details.contentType);
    case 'resource_metadata_invalid':
      return {
        summary: t('server misconfigured'),
        message: t(
          'The server says at {0} how to sign in, but what it says cannot be understood. This is a fault of the server.',
          shortUrl(error.details.url),
        ),
        nextStep: t('Tell the people who run the server; the log says what is wrong.'),
        action: 'show_log',
      };
    case 'resource_mismatch':
      return {
        summary: t('server names another resource'),
        message: t(
          'The server says that it is {0}, but you connected to {1}. A token for the one must not go to the other.',
          shortUrl(error.details.actual),
          shortUrl(error.details.expected),
        ),
        nextStep: t('Check the URL; if it is right, the server is misconfigured.'),
        action: 'change_url',
      };
    case 'authorization_server_not_found':
      return {
        summary: t('no sign-in found'),
        message:
          error.details.issuers[0] === undefined
            ? t('The server asks for a sign-in but does not say where. This is a fault of the server.')
            : t(
                'The server says to sign in at {0}, but no description of that authorization server was found.',
                shortUrl(error.details.issuers[0]),
              ),
        nextStep: t(
          'Try again later; if it stays so, tell the people who run the server. The log lists what was tried.',
        ),
        action: 'try_again',
      };
    case 'issuer_not_named':
      return {
        summary: t('authorization server has changed'),
        message: t(
          'You chose to sign in at {0}, which the server does not name any more. Nothing was sent to another one.',
          shortUrl(error.details.issuer),
        ),
        nextStep: t('If the move is meant, choose another authorization server.'),
        action: 'change_issuer',
      };
    case 'issuer_mismatch':
      return {
        summary: t('wrong authorization server'),
        message: t(
          'The authorization server {0} calls itself {1}. One could be posing as the other, so Scopekeeper stopped.',
          shortUrl(error.details.expected),
          quoted(error.details.actual) ?? t('nothing at all'),
        ),
        nextStep: t('Tell the people who run the server; do not sign in there until it is mended.'),
        action: 'show_log',
      };
  }
}

function invalidServerUrlText(problem: 'not_a_url' | 'scheme' | 'credentials' | 'fragment'): ErrorText {
  const base = { summary: t('not a server URL'), action: 'change_url' } as const;
  switch (problem) {
    case 'not_a_url':
      return { ...base, message: t('This is not a URL.'), nextStep: t('Enter one like https://example.com/mcp.') };
    case 'scheme':
      return {
        ...base,
        message: t('The URL of a remote MCP server begins with https://.'),
        nextStep: t('Enter one like https://example.com/mcp.'),
      };
    case 'credentials':
      return {
        ...base,
        message: t('The URL has a user name or password in it.'),
        nextStep: t('Leave them out; you sign in in the browser.'),
      };
    case 'fragment':
      return { ...base, message: t('The URL has a part after #.'), nextStep: t('Leave the # and what follows out.') };
  }
}

function insecureUrlText(url: string, role: UrlRole): ErrorText {
  if (role === 'server') {
    return {
      summary: t('not encrypted'),
      message: t('{0} would be reached over plain http, where others can read your tokens.', shortUrl(url)),
      nextStep: t('Use https://; plain http is only for servers on this computer.'),
      action: 'change_url',
    };
  }
  return {
    summary: t('not encrypted'),
    message: t(
      'To sign in, this server points to {0}, which is no encrypted (https) address. This is a fault of the server.',
      shortUrl(url),
    ),
    nextStep: t('Tell the people who run the server.'),
    action: 'show_log',
  };
}

function notAServerText(url: string, status: number, contentType: string | null): ErrorText {
  const base = {
    nextStep: t('Check the URL; that of an MCP server often ends with /mcp.'),
    action: 'change_url',
  } as const;
  if (status >= 500) {
    return {
      summary: t('server failing'),
      message: t('{0} is failing (status {1}). This is a fault of the server.', url, status),
      nextStep: t('Try again in a while.'),
      action: 'try_again',
    };
  }
  if (status === 404) {
    return { ...base, summary: t('nothing there'), message: t('There is nothing at {0} (status 404).', url) };
  }
  if (contentType?.toLowerCase().startsWith('text/html') === true) {
    return { ...base, summary: t('not an MCP server'), message: t('{0} is a web page and not an MCP server.', url) };
  }
  return {
    ...base,
    summary: t('not an MCP server'),
    message: t('{0} does not answer as an MCP server does (status {1}).', url, status),
  };
}
