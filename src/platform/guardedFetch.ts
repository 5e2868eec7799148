import { lookup as systemLookup } from 'node:dns/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import tls from 'node:tls';
import type { Disposable, ResolveReach } from '../connections/ports.ts';
import { checkEndpoint, classifyAddress, isLoopbackHost, literalAddress, shownUrl } from '../oauth/addressPolicy.ts';
import { isOAuthError, OAuthError } from '../oauth/errors.ts';
import type { Fetch, FetchRequest, Reach } from '../oauth/fetchPort.ts';
import { readCertificates } from './certificateFile.ts';
import { decodeBody, readBody, toResponse } from './httpAnswer.ts';
import { unreachable } from './networkFailure.ts';
import { createPinnedLookup, type LookupAll } from './pinnedLookup.ts';
import { isDirect, sendRequest } from './sendRequest.ts';

export interface GuardedFetchOptions {
  /** Of the extension, for the `User-Agent`. */
  readonly version: string;
  /** For a whole request, redirects and body included. 10 s by default. */
  readonly timeoutMs?: number;
  /** For a body, as it comes and again when it is unpacked. 256 KiB by default. */
  readonly limitBytes?: number;
  /** How names are resolved; the system's way by default. */
  readonly lookup?: LookupAll;
  /** Of another instance that this one goes on for. */
  readonly privateHosts?: Iterable<string>;
  /** Path of a PEM file with more certificate authorities to trust; asked for at each https request. */
  readonly extraCaFile?: () => string | undefined;
}

export interface GuardedFetch extends Disposable {
  readonly fetch: Fetch;
  readonly resolveReach: ResolveReach;
  /** Names that were typed and had private addresses alone; they must have them for ever. */
  readonly privateHosts: ReadonlySet<string>;
  /**
   * Whether a request goes straight to its server and needs no certificate authority of the person's own: then a
   * process without the editor's ways can send it too. Nothing of it is sent. Never rejects.
   */
  readonly isPlain: (url: string, request: FetchRequest) => Promise<boolean>;
  /**
   * How requests to the origin of `url` are connected: by the same rules as those of `fetch`.
   * Throws `insecure_url`, `address_refused` or `ca_file_unreadable`.
   */
  readonly wayTo: (url: string, request: Pick<FetchRequest, 'caFile' | 'reach'>) => Promise<RequestOptions>;
}

const REDIRECTS_AT_MOST = 3;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

/**
 * The one way out to the network, with the rules of P20 and P36 built in; see {@link Fetch}.
 *
 * It fits what VS Code does to these modules in an extension host (proxyResolver.ts and
 * `@vscode/proxy-agent`): `request` and `get` are replaced on the module objects of http and https,
 * after the extension may have been loaded, and `require('http')` gives each extension a copy of its
 * own while `require('node:http')` gives the module itself; both are patched. So `request` is looked up on the
 * module at each call. The patch puts in an agent of its own, which
 * - is left out for a request that brings an `agent` (with `http.proxySupport: on`): none is passed here;
 * - adds the system's certificates only if there is no `ca`: that is passed only when there are extra authorities;
 * - keeps `lookup` when it connects directly, and does not use it when it goes through a proxy: the
 *   proxy resolves the name then, and only literal addresses can be judged (P20).
 * Disposing cancels what is under way.
 */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { version, timeoutMs = 10_000, limitBytes = 262_144, extraCaFile } = options;
  const lookupAll: LookupAll =
    options.lookup ?? (async (hostname) => systemLookup(hostname, { all: true, verbatim: true }));
  const disposed = new AbortController();
  /** Names that were typed and resolved to private addresses only. */
  const privateHosts = new Set(options.privateHosts);

  const fetch: Fetch = async (url, request) => {
    request.signal?.throwIfAborted();
    let target = checkEndpoint(url, 'server', request.reach);
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), timeoutMs);
    const signals = [timeout.signal, disposed.signal, ...(request.signal === undefined ? [] : [request.signal])];
    const signal = AbortSignal.any(signals);
    try {
      for (let hop = 0; ; hop++) {
        const way = await wayTo(target, request);
        const response = await sendOnce(target, request, signal, way);
        const next = redirectTarget(target, request, response, hop);
        if (next === undefined) return response;
        target = next;
      }
    } catch (error) {
      if (request.signal?.aborted === true) throw request.signal.reason;
      if (isOAuthError(error)) throw error;
      throw unreachable(target, error, timeout.signal.aborted);
    } finally {
      clearTimeout(timer);
    }
  };

  /**
   * The lookup for a host: while it counts as private it must have private addresses alone. What is asked of it as
   * public, since it has moved, is judged by the pinned lookup as any other.
   */
  function checkedLookup(host: string, reach: Reach): LookupAll {
    if (reach !== 'private' || !privateHosts.has(host)) return lookupAll;
    return async (hostname) => {
      const addresses = await lookupAll(hostname);
      const other = addresses.find(({ address }) => classifyAddress(address) !== 'private');
      if (other !== undefined) throw new OAuthError('address_refused', { url: hostname, address: other.address });
      return addresses;
    };
  }

  async function wayTo(
    target: URL,
    { caFile, reach }: Pick<FetchRequest, 'caFile' | 'reach'>,
  ): Promise<RequestOptions> {
    const ca = target.protocol === 'https:' ? await authorities(caFile, extraCaFile?.()) : undefined;
    return connectionOptions(target, reach, checkedLookup(target.hostname, reach), ca);
  }

  async function sendOnce(
    target: URL,
    request: FetchRequest,
    signal: AbortSignal,
    way: RequestOptions,
  ): Promise<Response> {
    signal.throwIfAborted();
    const options = {
      ...way,
      method: request.method,
      path: `${target.pathname}${target.search}`,
      headers: requestHeaders(target, request, version),
    };
    const answer = await sendRequest(options, request.body, signal);
    if (isBodyLeft(request, answer.statusCode)) {
      answer.destroy();
      return toResponse(answer, Buffer.alloc(0), target);
    }
    const tooLarge = new OAuthError('response_too_large', { url: shownUrl(target), limitBytes });
    const packed = await readBody(answer, limitBytes, tooLarge);
    const body = await decodeBody(packed, answer.headers['content-encoding'], limitBytes, tooLarge);
    return toResponse(answer, body, target);
  }

  return {
    fetch,
    privateHosts,
    wayTo: async (url, request) => wayTo(checkEndpoint(url, 'server', request.reach), request),
    async isPlain(url, { caFile, reach }) {
      if (caFile !== undefined || extraCaFile?.() !== undefined || !URL.canParse(url)) return false;
      return isDirect(connectionOptions(new URL(url), reach, lookupAll, undefined), timeoutMs);
    },
    async resolveReach(serverUrl) {
      const { hostname } = new URL(serverUrl);
      if (isLoopbackHost(hostname)) return 'loopback';
      const literal = literalAddress(hostname);
      if (literal !== undefined) return classifyAddress(literal) === 'private' ? 'private' : 'public';
      try {
        const addresses = await withTimeout(lookupAll(hostname), timeoutMs);
        const isPrivate = addresses.every(({ address }) => classifyAddress(address) === 'private');
        if (!isPrivate) return 'public';
        // With this reach it stays private: one that answers otherwise later wants a reach that is not its own.
        privateHosts.add(hostname);
        return 'private';
      } catch {
        // The name may be known to the proxy alone; the narrowest reach is right for what is unknown.
        return 'public';
      }
    },
    dispose() {
      disposed.abort();
    },
  };
}

function connectionOptions(target: URL, reach: Reach, lookupAll: LookupAll, ca: string[] | undefined): RequestOptions {
  const hostname = target.hostname.replace(/^\[(.*)\]$/, '$1');
  // A name below localhost is this machine (RFC 6761), whatever a resolver or a proxy would make of it.
  const isBelowLocalhost = isLoopbackHost(hostname) && literalAddress(hostname) === undefined;
  return {
    protocol: target.protocol,
    hostname: isBelowLocalhost ? 'localhost' : hostname,
    port: target.port,
    lookup: createPinnedLookup(lookupAll, reach, shownUrl(target)),
    ...(target.protocol === 'https:' && {
      // Part of the key under which the global agent pools sockets: one that somebody else opened to the
      // same host, with no check of its address, is not used.
      sessionIdContext: `scopekeeper-${reach}`,
      ...(ca !== undefined && { ca }),
    }),
  };
}

function isBodyLeft({ headersOnly }: FetchRequest, status = 0): boolean {
  return headersOnly === true || (headersOnly === 'unless_error' && status < 400);
}

function requestHeaders(target: URL, request: FetchRequest, version: string): OutgoingHttpHeaders {
  return {
    host: target.host,
    accept: 'application/json',
    ...(request.body !== undefined && { 'content-length': Buffer.byteLength(request.body) }),
    ...request.headers,
    'user-agent': `Scopekeeper/${version}`,
    'accept-encoding': 'identity',
    // So that no socket is left in the global agent's pool.
    connection: 'close',
  };
}

/** The next URL of a redirect that is to be followed; undefined when `response` is the answer. */
function redirectTarget(from: URL, request: FetchRequest, response: Response, hop: number): URL | undefined {
  const location = response.headers.get('location');
  const hasCredentials = Object.keys(request.headers ?? {}).some((name) => /^(?:authorization|cookie)$/i.test(name));
  if (!REDIRECT_STATUSES.has(response.status) || location === null || request.method !== 'GET' || hasCredentials) {
    return undefined;
  }
  const to = URL.parse(location, from.href);
  const shown = { url: shownUrl(from), location: to === null ? '' : shownUrl(to) };
  const isDowngrade = from.protocol === 'https:' && to?.protocol !== 'https:';
  if (to === null || isDowngrade || hop >= REDIRECTS_AT_MOST) throw new OAuthError('redirect_refused', shown);
  try {
    return checkEndpoint(to.href, 'server', request.reach);
  } catch (error) {
    if (isOAuthError(error, 'insecure_url')) throw new OAuthError('redirect_refused', shown, { cause: error });
    throw error;
  }
}

/** The default, the system's and the extra authorities; undefined leaves the choice to the host. */
async function authorities(
  ofConnection: string | undefined,
  ofSetting: string | undefined,
): Promise<string[] | undefined> {
  if (ofConnection === undefined && ofSetting === undefined) return undefined;
  // `ca` replaces all others, those that the editor would add too, so they are all named.
  return [
    ...knownAuthorities(),
    ...(ofSetting === undefined ? [] : await readCertificates(ofSetting, 'setting')),
    ...(ofConnection === undefined ? [] : await readCertificates(ofConnection, 'connection')),
  ];
}

function knownAuthorities(): readonly string[] {
  const { getCACertificates }: { getCACertificates?: typeof tls.getCACertificates } = tls;
  // Node has it from 22.15 on.
  if (getCACertificates === undefined) return tls.rootCertificates;
  return [...getCACertificates('default'), ...getCACertificates('system')];
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
