import { isLoopbackHost } from './addressPolicy.ts';
import { OAuthError } from './errors.ts';

/**
 * The URL of an MCP server as a person typed it, made canonical (RFC 8707, P14): lower-case scheme
 * and host, no fragment, no slash for an empty path. A missing scheme is taken for https, or http
 * for a loopback host.
 * Throws `invalid_server_url`, or `insecure_url` for http to a remote host (P20).
 */
export function parseServerUrl(input: string): URL {
  const text = input.trim();
  const url = URL.canParse(withScheme(text)) ? new URL(withScheme(text)) : undefined;
  if (url === undefined || url.hostname === '' || /\s/.test(text)) {
    throw new OAuthError('invalid_server_url', { input: text, problem: 'not_a_url' });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new OAuthError('invalid_server_url', { input: text, problem: 'scheme' });
  }
  if (url.username !== '' || url.password !== '') {
    // The input is not repeated: it holds a password.
    throw new OAuthError('invalid_server_url', { input: `${url.protocol}//${url.host}`, problem: 'credentials' });
  }
  if (url.hash !== '') throw new OAuthError('invalid_server_url', { input: text, problem: 'fragment' });
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    throw new OAuthError('insecure_url', { url: canonicalResource(url), role: 'server' });
  }
  return url;
}

function withScheme(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const host = text.split(/[/?#]/, 1)[0] ?? '';
  const hostname = host.replace(/:\d+$/, '');
  const isHostLike = hostname.includes('.') || hostname === 'localhost' || hostname.startsWith('[');
  if (!isHostLike || host.includes('@')) return text;
  return `${isLoopbackHost(hostname) ? 'http' : 'https'}://${text}`;
}

/**
 * The canonical URI of a server for the `resource` parameter (RFC 8707 section 2, P14): no fragment,
 * and no trailing slash unless the path has more than it.
 */
export function canonicalResource(url: URL): string {
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.origin}${path}${url.search}`;
}

/** A short name for a server: its host without `www.`, `mcp.` and `api.`, with the port of a loopback one. */
export function suggestName(url: URL): string {
  if (isLoopbackHost(url.hostname)) return url.host;
  const host = url.hostname.replace(/^(?:www|mcp|api)\.(?=[^.]+\.)/, '');
  return host;
}
