import type { OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Connection } from '../connections/connection.ts';
import type { LocalClient } from '../connections/scopeDemand.ts';
import type { TokenService } from '../connections/tokenService.ts';
import type { ScopeSet } from '../oauth/scopeSet.ts';
import type { Upstream, UpstreamAnswer, UpstreamExchange, UpstreamHead } from './ports.ts';

export type GatewayTokens = Pick<TokenService, 'answerChallenge' | 'authorizeRequest' | 'noteDpopNonce'>;

export interface AuthorizedExchangeParts {
  readonly tokens: GatewayTokens;
  readonly upstream: Upstream;
}

export interface AuthorizedRequest {
  /** Its headers still without the authorization. */
  readonly head: UpstreamHead;
  /** Only what is whole can be sent again. */
  readonly body: Buffer | Readable;
  /** What it is for; asked when a challenge comes (P25). */
  readonly operation: () => string;
  /** Whose it is; undefined for one of our own. */
  readonly client?: LocalClient;
  /** Takes each exchange that begins, so that it can be aborted. */
  readonly onExchange: (exchange: UpstreamExchange) => void;
}

/** What came of a request. An `answer` that stands with something else is a 401 or 403, of no use to a client. */
export type AuthorizedOutcome =
  | { readonly type: 'answer'; readonly answer: UpstreamAnswer }
  /** The person has to authorize; then it is to be sent again. */
  | { readonly type: 'authorize'; readonly answer: UpstreamAnswer; readonly scopes: ScopeSet }
  /** All that could be done was done. */
  | { readonly type: 'stop'; readonly answer: UpstreamAnswer }
  /** It would get another answer now, but was not kept. */
  | { readonly type: 'again'; readonly answer: UpstreamAnswer }
  /** No answer came. */
  | { readonly type: 'failed'; readonly error: unknown };

/**
 * Sends a request with the connection's token (P36), and once more for as long as the token manager says that this may
 * help (P24): it counts nothing itself, since a server that challenges for ever is the manager's to stop (P25).
 * Throws why there is no token, or no new one.
 */
export async function authorizedExchange(
  { tokens, upstream }: AuthorizedExchangeParts,
  connection: Connection,
  { body, client, head, onExchange, operation }: AuthorizedRequest,
): Promise<AuthorizedOutcome> {
  const { id } = connection;
  for (let attempt = 0; ; attempt += 1) {
    const { accessToken, headers } = await tokens.authorizeRequest(id, head);
    const added = headers.dpop === undefined ? [] : ['dpop', headers.dpop];
    const sent = [...head.headers, 'authorization', headers.authorization, ...added];
    const exchange = upstream.send(connection, { method: head.method, url: head.url, headers: sent }, body);
    onExchange(exchange);
    let answer: UpstreamAnswer;
    try {
      answer = await exchange.answer;
    } catch (error) {
      return { type: 'failed', error };
    }
    const dpopNonce = oneOf(answer.headers['dpop-nonce']);
    if (dpopNonce !== undefined) tokens.noteDpopNonce(head.url, dpopNonce);
    const status = answer.statusCode;
    if (status !== 401 && status !== 403) return { type: 'answer', answer };

    const outcome = await tokens.answerChallenge(id, {
      status,
      wwwAuthenticate: answer.headers['www-authenticate'] ?? null,
      token: accessToken,
      dpopNonce,
      attempt,
      operation: operation(),
      client,
    });
    if (outcome.type === 'pass') return { type: 'answer', answer };
    if (outcome.type !== 'retry') return { ...outcome, answer };
    if (!Buffer.isBuffer(body)) return { type: 'again', answer };
    discard(answer);
  }
}

/** An answer that is longer is not worth the connection that it came by. */
const WORTH_READING_BYTES = 65_536;

/** Drops the rest of an answer that nobody wants, and keeps its connection if that is cheap. */
export function discard(answer: Pick<UpstreamAnswer, 'body' | 'headers' | 'whole'>): void {
  if (answer.whole !== undefined) return;
  const { body, headers } = answer;
  // It may break off, or be over.
  body.on('error', () => undefined);
  if (Number(headers['content-length'] ?? Infinity) <= WORTH_READING_BYTES) body.resume();
  else body.destroy();
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** The head of a request of our own. */
export interface OwnHead extends Omit<UpstreamHead, 'headers'> {
  readonly headers: OutgoingHttpHeaders;
}

/** Sends a request of our own. */
export type SendAuthorized = (
  connection: Connection,
  head: OwnHead,
  body: Buffer | undefined,
  operation: string,
  signal: AbortSignal,
) => Promise<UpstreamAnswer>;

const NO_BODY = Buffer.alloc(0);

/**
 * Makes what sends requests of our own with a connection's token. Nobody is waited for: where the person is needed, the
 * server's 401 or 403 is the answer. It rejects with what {@link authorizedExchange} throws, with why no answer came, or
 * with the signal's reason.
 */
export function createSendAuthorized(parts: AuthorizedExchangeParts): SendAuthorized {
  return async (connection, { headers, ...line }, body = NO_BODY, operation, signal) => {
    const passed = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [name, String(value)],
    );
    const isSized = body.length > 0 && headers['content-length'] === undefined;
    const head = { ...line, headers: isSized ? [...passed, 'content-length', String(body.length)] : passed };
    let exchange: UpstreamExchange | undefined;
    const abort = (): void => exchange?.abort();
    signal.addEventListener('abort', abort);
    try {
      const outcome = await authorizedExchange(parts, connection, {
        head,
        body,
        operation: () => operation,
        onExchange: (begun) => {
          exchange = begun;
          if (signal.aborted) begun.abort();
        },
      });
      if (signal.aborted) throw signal.reason;
      if (outcome.type === 'failed') throw outcome.error;
      // The rest of the answer may take long, and is aborted too.
      outcome.answer.body.once('close', () => signal.removeEventListener('abort', abort));
      return outcome.answer;
    } catch (error) {
      signal.removeEventListener('abort', abort);
      throw signal.aborted ? signal.reason : error;
    }
  };
}
