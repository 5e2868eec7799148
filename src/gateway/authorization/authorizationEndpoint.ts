import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '../../connections/errors.ts';
import type { Clock, Log } from '../../connections/ports.ts';
import type { AskConsent, ConsentAnswer, ConsentRequest, RenderAuthorizationPage } from '../ports.ts';
import { sendPage, sendRedirect } from './answers.ts';
import type { AuthorizationCodes } from './authorizationCodes.ts';
import { type AuthorizationRequest, judgeAuthorizationRequest } from './authorizationRequest.ts';
import { type ConsentOutcome, ConsentQueue } from './consentQueue.ts';
import type { LocalGrants } from './localGrants.ts';
import { connectionByResource, PATHS } from './metadata.ts';
import { redirectWith } from './redirectUris.ts';
import type { ServedResources } from './servedResources.ts';

/** Has the person answer on the page in the browser, and not in the editor. */
export interface ConsentPage {
  /** The whole page. Its form, or none, leads to `answerAt` by GET, which is good once. */
  render(request: AuthorizationRequest, answerAt: string): string;
  /** What the person said, by the fields of the form. */
  judge(request: AuthorizationRequest, fields: URLSearchParams): ConsentAnswer;
}

export interface AuthorizationEndpointParts {
  readonly grants: LocalGrants;
  readonly codes: AuthorizationCodes;
  readonly connections: ServedResources;
  readonly askConsent: AskConsent | ConsentPage;
  readonly renderPage: RenderAuthorizationPage;
  readonly clock: Clock;
  readonly log: Log;
}

/** A browser follows at once from the page that says where to answer. */
const PAGE_MS = 60_000;
/** On a page that asks itself the person reads first; as long as a question waits in the editor. */
const ASKING_PAGE_MS = 5 * 60_000;
const PAGES_AT_MOST = 50;

/** What comes of a question whose asker is still there. */
type Decision = Exclude<ConsentOutcome, { type: 'gone' }>;

/** A page in a browser that is about to wait. */
interface OpenPage {
  readonly request: AuthorizationRequest;
  readonly openedAt: number;
}

/**
 * Asks the person in the editor for each authorization request (RFC 6749 section 4.1.1, P44).
 * A browser gets a page at once that says so, and waits behind it: the page sends it on to a URL that is answered when
 * the person has decided. Another client is held at once.
 */
export function createAuthorizationEndpoint(parts: AuthorizationEndpointParts) {
  const { clock, codes, connections, grants, log, renderPage } = parts;
  const consentPage = typeof parts.askConsent === 'function' ? undefined : parts.askConsent;
  const askConsent = typeof parts.askConsent === 'function' ? parts.askConsent : sayNo;
  const consents = new ConsentQueue(askConsent, clock);
  const pageMs = consentPage === undefined ? PAGE_MS : ASKING_PAGE_MS;
  const pages = new Map<string, OpenPage>();

  /** Answers a request itself, or gives it for being held. */
  async function begin(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { origin } = url;
    if (grants.problem !== undefined) return refuse(response, 503, 'unavailable');
    const judgement = judgeAuthorizationRequest(
      url.searchParams,
      (id) => grants.client(id),
      (resource) => connectionByResource(connections, origin, resource),
    );
    if (judgement.type === 'page') return refuse(response, 400, judgement.problem);
    if (judgement.type === 'refuse') {
      const { description, error, redirectUri, state } = judgement;
      const answer = { error, error_description: description, state, iss: origin };
      return sendRedirect(response, redirectWith(redirectUri, answer));
    }
    if (consentPage !== undefined) return askOnPage(response, consentPage, judgement.request);
    if (request.headers['sec-fetch-mode'] !== 'navigate') return hold(response, judgement.request, origin);
    const id = openPage(judgement.request);
    const html = renderPage({ type: 'asking', clientName: nameOf(judgement.request) });
    sendPage(response, 200, html, { refresh: `0; url=${PATHS.authorize}/${id}` });
  }

  function askOnPage(response: ServerResponse, page: ConsentPage, request: AuthorizationRequest): void {
    const html = page.render(request, `${PATHS.authorize}/${openPage(request)}`);
    sendPage(response, 200, html, { 'content-security-policy': policyOfForm(request.redirectUri) });
  }

  function openPage(request: AuthorizationRequest): string {
    const now = clock.now();
    for (const [id, { openedAt }] of pages) {
      if (openedAt + pageMs <= now || pages.size >= PAGES_AT_MOST) pages.delete(id);
    }
    const id = randomBytes(32).toString('base64url');
    pages.set(id, { request, openedAt: now });
    return id;
  }

  /** The browser waits behind its page, or brings what the person answered on it. */
  async function comeFromPage(response: ServerResponse, id: string, { origin, searchParams }: URL): Promise<void> {
    const page = pages.get(id);
    pages.delete(id);
    if (page === undefined || page.openedAt + pageMs <= clock.now()) return refuse(response, 400, 'page_expired');
    if (consentPage !== undefined)
      return sendAnswer(response, page.request, consentPage.judge(page.request, searchParams), origin);
    return hold(response, page.request, origin);
  }

  /** Holds the answer until the person has decided; a client that leaves takes its question back. */
  async function hold(response: ServerResponse, request: AuthorizationRequest, origin: string): Promise<void> {
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    if (response.destroyed) return;
    const outcome = await consents.ask(request.client.id, consentOf(request), leaving.signal);
    if (outcome.type === 'gone' || leaving.signal.aborted) return;
    sendAnswer(response, request, outcome, origin);
  }

  function sendAnswer(
    response: ServerResponse,
    request: AuthorizationRequest,
    outcome: Decision,
    origin: string,
  ): void {
    const { redirectUri, state } = request;
    sendRedirect(response, redirectWith(redirectUri, { ...answerOf(request, outcome), state, iss: origin }));
  }

  function answerOf(request: AuthorizationRequest, outcome: Decision): Record<string, string> {
    switch (outcome.type) {
      case 'allowed': {
        const { challenge, client, connection, redirectUri } = request;
        const isAsked = connection === undefined || connection.id === outcome.connection;
        // It may have been removed while the person thought.
        if (!isAsked || connections.get(outcome.connection) === undefined) {
          return { error: 'server_error', error_description: 'The server was removed.' };
        }
        const clientName = nameOf(request);
        const { allowedTools } = outcome;
        const grant = { clientId: client.id, clientName, connection: outcome.connection, allowedTools };
        return { code: codes.issue({ ...grant, redirectUri, challenge }) };
      }
      case 'denied':
        return { error: 'access_denied', error_description: 'The person said no.' };
      case 'timed_out':
        return { error: 'access_denied', error_description: 'Nobody answered in the editor.' };
      case 'busy':
        return { error: 'temporarily_unavailable', error_description: 'Too many clients are asking.' };
      default:
        return outcome satisfies never;
    }
  }

  function refuse(
    response: ServerResponse,
    status: number,
    problem: 'unknown_client' | 'wrong_redirect' | 'invalid_request' | 'page_expired' | 'unavailable',
  ): void {
    sendPage(response, status, renderPage({ type: 'refused', problem }));
  }

  return async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (isFromBehind(request.headers)) return refuse(response, 403, 'invalid_request');
    try {
      const id = url.pathname.slice(PATHS.authorize.length + 1);
      await (id === '' ? begin(request, response, url) : comeFromPage(response, id, url));
    } catch (error) {
      log.error(`A local client could not be authorized: ${describeError(error)}`);
      if (!response.headersSent) refuse(response, 503, 'unavailable');
    }
  };
}

/** Where a page asks there is nobody else to ask. */
const sayNo: AskConsent = async () => ({ type: 'denied' });

/**
 * The policy of a page with a form: a browser judges by it also where it is sent on to from there. With a scheme of an
 * editor there is no origin.
 */
function policyOfForm(redirectUri: string): string {
  const { origin, protocol } = new URL(redirectUri);
  const target = origin === 'null' ? protocol : origin;
  return `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' ${target}`;
}

/** What the client calls itself; without a name it is known by where it is. */
function nameOf({ client, redirectUri }: AuthorizationRequest): string {
  return client.name ?? new URL(redirectUri).host;
}

function consentOf(request: AuthorizationRequest): ConsentRequest {
  const { client, connection, redirectUri } = request;
  const remembered = connection === undefined ? undefined : client.remembered[connection.id];
  return {
    clientName: nameOf(request),
    redirectUri,
    ...(connection !== undefined && { connection: connection.id }),
    ...(remembered !== undefined && { remembered }),
  };
}

/**
 * Whether a page of the web asks from behind, or in a frame, which the person does not see; it may lead here. Every
 * browser sends `Sec-Fetch-Site`; the fetch of Node says `cors` of itself, and no more.
 */
function isFromBehind(headers: IncomingHttpHeaders): boolean {
  const { 'sec-fetch-dest': destination, 'sec-fetch-mode': mode, 'sec-fetch-site': site } = headers;
  if (site === undefined && destination === undefined) return false;
  return mode !== 'navigate' || (destination ?? 'document') !== 'document';
}
