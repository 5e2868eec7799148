import { shownUrl } from '../oauth/addressPolicy.ts';
import { type NetworkFailure, OAuthError } from '../oauth/errors.ts';
import { errorCode } from './atomicFile.ts';
import { ProxyFailure } from './sendRequest.ts';

const FAILURES: Readonly<Record<string, NetworkFailure>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_NODATA: 'dns',
  EAI_FAIL: 'dns',
  ENODATA: 'dns',
  ESERVFAIL: 'dns',
  ETIMEOUT: 'dns',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  // Node's own agent, when the environment tells it to use a proxy.
  ERR_PROXY_TUNNEL: 'proxy',
};

/** Certificate errors bear OpenSSL's own names. */
const TLS_CODE = /^ERR_(?:TLS|SSL)_|CERT|CRL|_SIGNATURE|^INVALID_(?:CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$/;

/** Sorts an error of {@link sendRequest}, `node:http`, `node:https`, undici or the resolver by its code. */
export function networkFailureOf(error: unknown): NetworkFailure {
  if (error instanceof ProxyFailure) return 'proxy';
  const code = errorCode(error);
  if (code === undefined) return 'other';
  return FAILURES[code] ?? (TLS_CODE.test(code) ? 'tls' : 'other');
}

/**
 * What a request that got no answer is told as.
 * @param isLate whether it was given up because it took too long.
 */
export function unreachable(target: URL, error: unknown, isLate: boolean): OAuthError<'server_unreachable'> {
  const sorted = networkFailureOf(error);
  const failure = isLate && sorted !== 'proxy' ? 'timeout' : sorted;
  const proxyStatus = error instanceof ProxyFailure ? error.status : undefined;
  // An unsorted error may come from an agent of somebody else's, whose text can name the proxy's password.
  const cause = failure === 'other' || failure === 'timeout' ? {} : { cause: error };
  const details = { url: shownUrl(target), failure, ...(proxyStatus !== undefined && { proxyStatus }) };
  return new OAuthError('server_unreachable', details, cause);
}
