import type { NetworkFailure } from '../oauth/errors.ts';
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
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  // Node's own agent, when the environment tells it to use a proxy.
  ERR_PROXY_TUNNEL: 'proxy',
};

/** Certificate errors bear OpenSSL's own names. */
const TLS_CODE = /^ERR_(?:TLS|SSL)_|CERT|CRL|_SIGNATURE|^INVALID_(?:CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$/;

/** Sorts an error of {@link sendRequest}, `node:http`, `node:https` or the resolver by its code. */
export function networkFailureOf(error: unknown): NetworkFailure {
  if (error instanceof ProxyFailure) return 'proxy';
  const code = errorCode(error);
  if (code === undefined) return 'other';
  return FAILURES[code] ?? (TLS_CODE.test(code) ? 'tls' : 'other');
}
