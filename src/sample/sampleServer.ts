import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '../connections/errors.ts';
import type { Clock, Log } from '../connections/ports.ts';
import { readBody } from '../gateway/authorization/answers.ts';
import type { ConsentPage } from '../gateway/authorization/authorizationEndpoint.ts';
import type { AuthorizationServer, AuthorizationServerParts } from '../gateway/authorization/authorizationServer.ts';
import { resourceMetadataUrl } from '../gateway/authorization/metadata.ts';
import { refuse, sendJson } from '../gateway/call.ts';
import type { AccessTokens, RenderAuthorizationPage } from '../gateway/ports.ts';
import { refusalOf, routeOf } from '../gateway/requestGuard.ts';
import { answerTo, messagesIn, neededScopes } from './noteMessages.ts';
import { NOTE_SCOPES, Notes, toolsOf } from './notes.ts';
import { SAMPLE_RESOURCE, SAMPLE_RESOURCES } from './sampleResource.ts';

/** What the person is asked in the browser. */
export interface SampleQuestion {
  readonly clientName: string;
  readonly scopes: readonly string[];
}

export interface SampleServerParts {
  readonly grants: AuthorizationServerParts['grants'];
  readonly accesses: Pick<AccessTokens, 'use'>;
  /** That of the gateway: given, so that it is not in this bundle once more. */
  readonly createAuthorizationServer: (parts: AuthorizationServerParts) => AuthorizationServer;
  /** The page with the question; its form goes to `answerAt`. */
  readonly renderConsent: (question: SampleQuestion, answerAt: string) => string;
  readonly renderPage: RenderAuthorizationPage;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SampleServer {
  /** Answers any request at its port. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse, port: number): void;
}

/** A token as RFC 6750 section 2.1 has it. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i;

/**
 * A small protected MCP server that keeps notes, without sessions (MCP 2025-11-25), and its authorization server, at one
 * port. It is what `scopekeeper.trySampleServer` connects, so that a first minute needs no account anywhere.
 */
export function createSampleServer(parts: SampleServerParts): SampleServer {
  const { accesses, clock, grants, log, renderPage, version } = parts;
  const notes = new Notes();
  const consentPage: ConsentPage = {
    render: ({ client, redirectUri, scopes }, answerAt) => {
      const question = { clientName: client.name ?? new URL(redirectUri).host, scopes: offered(scopes) };
      return parts.renderConsent(question, answerAt);
    },
    judge: ({ scopes }, fields) => {
      const ticked = new Set(fields.getAll('scope'));
      const allowedTools = toolsOf(offered(scopes).filter((scope) => ticked.has(scope)));
      // A grant of nothing would be none.
      if (fields.get('decision') !== 'allow' || allowedTools.length === 0) return { type: 'denied' };
      return { type: 'allowed', connection: SAMPLE_RESOURCE.id, allowedTools };
    },
  };
  const authorizationServer = parts.createAuthorizationServer({
    grants,
    connections: SAMPLE_RESOURCES,
    scopes: NOTE_SCOPES,
    askConsent: consentPage,
    renderPage,
    clock,
    log,
  });

  async function answer(request: IncomingMessage, response: ServerResponse, port: number): Promise<void> {
    const refusal = refusalOf(request, port);
    if (refusal !== undefined) return refuse(response, refusal);
    const route = routeOf(request.url);
    if (route.type === 'mcp' && route.slug === SAMPLE_RESOURCE.slug) return answerMcp(request, response);
    if (authorizationServer.handle(request, response, `http://${request.headers.host}`)) return;
    refuse(response, { status: 404, text: 'Scopekeeper: nothing here' });
  }

  async function answerMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const access = token === undefined ? undefined : accesses.use(token, SAMPLE_RESOURCE.id);
    const challenge = (parameters: Readonly<Record<string, string>>): string => {
      const metadata = resourceMetadataUrl(`http://${request.headers.host}`, SAMPLE_RESOURCE.slug);
      const all = Object.entries({ ...parameters, resource_metadata: metadata });
      return `Bearer ${all.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
    };
    if (access === undefined) {
      const error = request.headers.authorization === undefined ? undefined : 'invalid_token';
      const scope = NOTE_SCOPES.initial.join(' ');
      const text = 'Sign in first';
      return refuse(response, { status: 401, text }, challenge({ ...(error !== undefined && { error }), scope }));
    }
    if (request.method !== 'POST') return refuse(response, { status: 405, text: 'POST only', allow: 'POST' });
    const body = await readBody(request, response, 'application/json');
    if (body.type === 'answered') return;
    const parsed = messagesIn(body.text);
    if (parsed === undefined) {
      const error = { code: -32_600, message: 'This is no JSON-RPC message.' };
      return sendJson(response, { status: 400, body: JSON.stringify({ jsonrpc: '2.0', id: null, error }) });
    }
    const { isBatch, messages } = parsed;
    const granted = NOTE_SCOPES.granted(access.allowedTools);
    const missing = neededScopes(messages).filter((scope) => !granted.includes(scope));
    if (missing.length > 0) {
      const scope = missing.join(' ');
      return refuse(
        response,
        { status: 403, text: `Needs ${scope}` },
        challenge({ error: 'insufficient_scope', scope }),
      );
    }
    const answers = messages.flatMap((message) => answerTo(message, notes, version) ?? []);
    if (answers.length === 0) return void response.writeHead(202, { 'content-length': 0 }).end();
    sendJson(response, { status: 200, body: JSON.stringify(isBatch ? answers : answers[0]) });
  }

  return {
    handle(request, response, port) {
      answer(request, response, port).catch((error: unknown) => {
        log.error(`The sample server failed: ${describeError(error)}`);
        if (response.headersSent || response.destroyed) response.destroy();
        else refuse(response, { status: 500, text: 'Scopekeeper failed' });
      });
    },
  };
}

/** What is asked for and is there; with nothing asked for, what a client is given to begin with. */
function offered(asked: readonly string[]): readonly string[] {
  const known = NOTE_SCOPES.supported.filter((scope) => asked.includes(scope));
  return known.length === 0 ? NOTE_SCOPES.initial : known;
}
