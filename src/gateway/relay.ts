import type { Readable, Transform } from 'node:stream';
import type { Connection } from '../connections/connection.ts';
import { asScopekeeperError, describeError } from '../connections/errors.ts';
import type { Clock, Log } from '../connections/ports.ts';
import {
  authorizedExchange,
  type AuthorizedExchangeParts,
  type AuthorizedOutcome,
  discard,
} from './authorizedExchange.ts';
import { type Call, sendJson } from './call.ts';
import { createEndpointRewriter } from './endpointEvent.ts';
import { toClient, toServer, without } from './forwardedHeaders.ts';
import { errorAnswer, type GatewayError, type GatewayErrorReason } from './gatewayError.ts';
import type { LocalAccess } from './localAccess.ts';
import { messageIds, operationOf, parseBody } from './mcpMessage.ts';
import { sentHeaders } from './mirroredHeaders.ts';
import { announcedUrl, type MessageRoutes } from './messageRoutes.ts';
import { generationOf, newerGrant, type OnDidDecline } from './newerGrant.ts';
import type { GatewayConnections, UpstreamAnswer } from './ports.ts';
import { hasBody, takeBody } from './requestBody.ts';
import { isEventStream } from './mediaType.ts';
import { askForPlain, createAnswerFilter, filterAnswer, isFilterable, judgeRequest } from './toolFilter.ts';

export interface RelayParts extends AuthorizedExchangeParts {
  readonly connections: GatewayConnections;
  readonly routes: MessageRoutes;
  readonly stepUpTimeoutMs: () => number;
  readonly onDidDecline: OnDidDecline;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a request that was let in is for. */
export interface RelayTarget {
  readonly connection: Connection;
  readonly access: LocalAccess;
  /** Where it goes at the server. */
  readonly url: string;
  /** Whether it is a message of the older transport, whose answer comes on its stream. */
  readonly isMessage: boolean;
}

/** So much of a body is kept, to be sent again; JSON-RPC messages are far shorter. */
const KEPT_BYTES = 4 * 1024 * 1024;

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([300, 301, 302, 303, 305, 306, 307, 308]);

const NO_BODY = Buffer.alloc(0);
const LENGTH: ReadonlySet<string> = new Set(['content-length']);

/** Why the person is waited for. */
interface Need {
  readonly reason: 'sign_in_required' | 'consent_required';
  readonly scopes: readonly string[];
}

/** Passes one request of a local client to its server, and the answer back (P37). Never rejects on purpose. */
export class Relay {
  readonly #parts: RelayParts;
  readonly #target: RelayTarget;
  readonly #call: Call;
  /** Empty for what is not kept. */
  #kept: Buffer | undefined;
  #message: { readonly json: unknown } | undefined;

  constructor(parts: RelayParts, target: RelayTarget, call: Call) {
    this.#parts = parts;
    this.#target = target;
    this.#call = call;
  }

  async run(): Promise<void> {
    const { request } = this.#call;
    let body: Buffer | Readable = NO_BODY;
    if (hasBody(request)) {
      const taken = await takeBody(request, KEPT_BYTES);
      if (taken.type === 'broken') return;
      if (taken.type === 'whole') this.#kept = taken.body;
      body = taken.type === 'whole' ? taken.body : request;
    }
    // What is judged is what goes on: the client may have named some for this connection only.
    const headers = toServer(request.headers);
    const judged = this.#judged(body, headers);
    if (judged !== undefined) await this.#send(judged, headers);
  }

  /** The body as it goes on; undefined when it was refused, for the tools that the client may use (P43). */
  #judged(body: Buffer | Readable, headers: readonly string[]): Buffer | Readable | undefined {
    const { allowedTools } = this.#target.access;
    const { request } = this.#call;
    if (allowedTools === '*' || !hasBody(request)) return body;
    if (!Buffer.isBuffer(body)) {
      this.#tell('request_too_large');
      return undefined;
    }
    const judged = judgeRequest(body, sentHeaders(headers), allowedTools);
    if (judged.type === 'forward') return judged.body;
    // A client of the older transport waits on its stream for what a message is answered, and would for ever.
    const status = this.#target.isMessage && judged.status === 200 ? 403 : judged.status;
    sendJson(this.#call.response, { status, body: judged.body });
    return undefined;
  }

  async #send(body: Buffer | Readable, passed: readonly string[]): Promise<void> {
    const { clock, connections, stepUpTimeoutMs } = this.#parts;
    const { headers, method = 'GET' } = this.#call.request;
    const { access, connection: begun, url } = this.#target;
    const length = Buffer.isBuffer(body) ? lengthOf(body, method) : headers['content-length'];
    const asked = access.allowedTools === '*' ? passed : askForPlain(passed);
    const head = { method, url, headers: length === undefined ? asked : [...asked, 'content-length', length] };
    const request = {
      head,
      body,
      operation: () => operationOf(method, this.#json()),
      client: access,
      onExchange: this.#call.onExchange,
    };

    let waitUntil: number | undefined;
    for (;;) {
      const connection = connections.get(begun.id);
      if (connection === undefined) return this.#tell('sign_in_required');
      const outcome = await this.#exchange(connection, request);
      if (this.#call.isOver || outcome === undefined) return;
      const need = 'reason' in outcome ? outcome : this.#settle(outcome);
      if (need === undefined) return;
      // It cannot be sent again when the person has done what is needed.
      if (!('reason' in outcome) && !Buffer.isBuffer(body)) return this.#tell(need.reason, need.scopes);
      waitUntil ??= clock.now() + stepUpTimeoutMs();
      if (!(await this.#waitForPerson(connection, need, waitUntil - clock.now()))) return;
    }
  }

  /** What came of it, or, before it was sent, what the person is needed for; undefined when the client was told. */
  async #exchange(
    connection: Connection,
    request: Parameters<typeof authorizedExchange>[2],
  ): Promise<AuthorizedOutcome | Need | undefined> {
    try {
      return await authorizedExchange(this.#parts, connection, request);
    } catch (error) {
      const state = this.#parts.connections.get(connection.id)?.state.type;
      // Also when a renewal has just found out that the grant has ended.
      const isSignedOut = state === 'needsSignIn' || state === 'authorizing';
      const { code } = asScopekeeperError(error);
      if (state === 'disconnected' || state === undefined) {
        // The person has never signed in, or has signed out: nobody is asked, so there is nothing to wait for.
        this.#tell('sign_in_required');
        return undefined;
      }
      if (code === 'sign_in_required' || (isSignedOut && code !== 'unexpected')) {
        return { reason: 'sign_in_required', scopes: [] };
      }
      this.#parts.log.warn(`A request to ${connection.name} got no token: ${describeError(error)}`);
      this.#tell('token_unavailable', [], error);
      return undefined;
    }
  }

  /** Tells the client what came of its request, or gives what the person is needed for. */
  #settle(outcome: AuthorizedOutcome): Need | undefined {
    switch (outcome.type) {
      case 'answer':
        this.#passOn(outcome.answer);
        return undefined;
      case 'failed':
        this.#parts.log.warn(`A request to ${this.#target.connection.name} failed: ${describeError(outcome.error)}`);
        this.#tell('server_unreachable', [], outcome.error);
        return undefined;
      case 'again':
        discard(outcome.answer);
        this.#tell('send_again');
        return undefined;
      case 'stop':
        discard(outcome.answer);
        this.#tellStop();
        return undefined;
      case 'authorize': {
        discard(outcome.answer);
        const isSignedOut = this.#parts.connections.get(this.#target.connection.id)?.state.type === 'needsSignIn';
        return { reason: isSignedOut ? 'sign_in_required' : 'consent_required', scopes: outcome.scopes };
      }
    }
  }

  /** The person was asked before; where there is still something to do for them, the client hears of that. */
  #tellStop(): void {
    const state = this.#parts.connections.get(this.#target.connection.id)?.state;
    if (state?.type === 'needsConsent') this.#tell('consent_required', state.missing);
    else this.#tell(state?.type === 'needsSignIn' ? 'sign_in_required' : 'access_refused');
  }

  /** Whether the request is to be sent again; else the client was told. */
  async #waitForPerson(connection: Connection, need: Need, timeoutMs: number): Promise<boolean> {
    const { clock, connections, onDidDecline } = this.#parts;
    const { onCancel } = this.#call;
    const generation = generationOf(connection);
    const outcome = await newerGrant(connection, { clock, connections, generation, timeoutMs, onCancel, onDidDecline });
    if (this.#call.isOver) return false;
    if (outcome === 'granted') return true;
    this.#tell(outcome === 'denied' ? 'consent_denied' : need.reason, need.scopes);
    return false;
  }

  #passOn(answer: UpstreamAnswer): void {
    const { response } = this.#call;
    const status = answer.statusCode;
    if (REDIRECT_STATUSES.has(status)) {
      discard(answer);
      this.#tell('redirect_refused');
      return;
    }
    const { allowedTools } = this.#target.access;
    if (allowedTools !== '*' && !isFilterable(answer.headers)) {
      discard(answer);
      this.#tell('answer_unreadable');
      return;
    }
    const isStream = isEventStream(answer.headers);
    const { whole } = answer;
    if (whole !== undefined && !isStream) return this.#passOnWhole(answer, whole);
    const filters: Transform[] = [];
    if (isStream && this.#mayBeOlderTransport()) filters.push(this.#endpointRewriter());
    if (allowedTools !== '*') filters.push(createAnswerFilter(answer.headers, allowedTools));

    const headers = toClient(answer.headers);
    let { body } = answer;
    body.on('error', this.#call.breakOff);
    for (const filter of filters) {
      filter.on('error', this.#call.breakOff);
      body = body.pipe(filter);
    }
    // What is filtered has another length.
    response.writeHead(status, filters.length === 0 ? headers : without(headers, LENGTH));
    // The client learns that the stream is there before the first event comes.
    if (isStream) response.flushHeaders();
    this.#call.pour(body);
  }

  /** Passes on what has come in one piece, as most messages do, without the cost of a stream. */
  #passOnWhole({ headers: received, statusCode }: UpstreamAnswer, whole: Buffer): void {
    const { response } = this.#call;
    const { allowedTools } = this.#target.access;
    const headers = toClient(received);
    const passed = allowedTools === '*' ? whole : filterAnswer(whole, allowedTools);
    response.writeHead(statusCode, passed === whole ? headers : withLength(headers, passed.length));
    response.end(passed);
  }

  /** A stream of the newer transport is one of a session, or answers a POST. */
  #mayBeOlderTransport(): boolean {
    const { headers, method } = this.#call.request;
    return method === 'GET' && headers['mcp-session-id'] === undefined;
  }

  #endpointRewriter(): Transform {
    const { routes } = this.#parts;
    const { access, connection } = this.#target;
    return createEndpointRewriter((endpoint) => {
      const url = announcedUrl(endpoint, connection.serverUrl);
      if (url === undefined) {
        this.#parts.log.warn(`The server of ${connection.name} wants messages elsewhere; its stream was ended.`);
        return undefined;
      }
      const { close, path } = routes.open(connection.slug, { connection: connection.id, access: access.id, url });
      this.#call.onClose(close);
      return path;
    });
  }

  #json(): unknown {
    this.#message ??= { json: parseBody(this.#kept) };
    return this.#message.json;
  }

  #tell(reason: GatewayErrorReason, scopes: readonly string[] = [], cause?: unknown): void {
    const { connection, isMessage } = this.#target;
    const name = this.#parts.connections.get(connection.id)?.name ?? connection.name;
    const error: GatewayError = {
      reason,
      connection: name,
      scopes,
      ...(cause !== undefined && { cause: asScopekeeperError(cause).code }),
    };
    const ids = isMessage ? undefined : messageIds(this.#json());
    sendJson(this.#call.response, errorAnswer(error, ids));
  }
}

/** What `Content-Length` says; undefined for a request that has no body, and none that is expected. */
function lengthOf(body: Buffer, method: string): string | undefined {
  return body.length > 0 || method === 'POST' ? String(body.length) : undefined;
}

/** Headers for a body of another length. */
function withLength(headers: readonly string[], length: number): string[] {
  return [...without(headers, LENGTH), 'content-length', String(length)];
}
