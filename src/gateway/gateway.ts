import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import { describeError } from '../connections/errors.ts';
import type { Disposable } from '../connections/ports.ts';
import { Call, refuse } from './call.ts';
import { MessageRoutes } from './messageRoutes.ts';
import { OpenCalls } from './openCalls.ts';
import type { AccessTokens } from './ports.ts';
import { Relay, type RelayParts, type RelayTarget } from './relay.ts';
import { type GatewayRoute, methodRefusalOf, refusalOf, routeOf } from './requestGuard.ts';

export interface GatewayParts extends Omit<RelayParts, 'routes'> {
  readonly accesses: AccessTokens;
  /** Answers what is one of its routes; Host and Origin have been judged. */
  readonly authorizationServer: {
    handle(request: IncomingMessage, response: ServerResponse, origin: string): boolean;
  };
  /** Where the RFC 9728 metadata of a connection are, whether there is such a one or not. */
  readonly resourceMetadataUrl: (origin: string, slug: string) => string;
}

export interface Gateway extends Disposable {
  /**
   * Answers any request at the loopback port but those for `/callback` and upgrades. Never throws.
   * @param port that the request came in at
   */
  handle(request: IncomingMessage, response: ServerResponse, port: number): void;
}

/** A token as RFC 6750 section 2.1 has it; one in a query or a form is none. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i;

/** Makes each connection an MCP server for the local clients that the person let in (P37, P43, P45). */
export function createGateway(parts: GatewayParts): Gateway {
  const { accesses, authorizationServer, connections, log, resourceMetadataUrl } = parts;
  const relayParts: RelayParts = { ...parts, routes: new MessageRoutes() };
  const calls = new OpenCalls();
  /** So that none is looked for in a list at each request. */
  const bySlug = new Map<string, ConnectionId>();
  for (const { id, slug } of connections.connections) bySlug.set(slug, id);
  const listener = connections.onDidChangeConnection(({ connection: { id, slug }, type }) => {
    if (type !== 'removed') bySlug.set(slug, id);
    else if (bySlug.get(slug) === id) bySlug.delete(slug);
    if (type === 'removed') calls.endAllTo(id);
  });
  const accessListener = accesses.onDidChangeAccesses(() => calls.keepOnly(accesses.accesses));

  function connectionOf(slug: string): Connection | undefined {
    const id = bySlug.get(slug);
    return id === undefined ? undefined : connections.get(id);
  }

  function answer(request: IncomingMessage, response: ServerResponse, port: number): void {
    const refusal = refusalOf(request, port);
    if (refusal !== undefined) return refuse(response, refusal);
    const route = routeOf(request.url);
    if (route.type !== 'other') return answerMcp(route, request, response);
    if (authorizationServer.handle(request, response, `http://${request.headers.host}`)) return;
    refuse(response, { status: 404, text: 'Scopekeeper: nothing here' });
  }

  function answerMcp(
    route: Exclude<GatewayRoute, { type: 'other' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const refusal = methodRefusalOf(request.method, route.type);
    if (refusal !== undefined) return refuse(response, refusal);
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const connection = connectionOf(route.slug);
    // A name that nobody has is answered as one that has not let the client in, and asks the registry as one: a
    // stranger learns no name by trying. Who has a token knows its connection's name already.
    const access = token === undefined ? undefined : accesses.use(token, connection?.id ?? '');
    if (connection === undefined || access === undefined) {
      const error = request.headers.authorization === undefined ? '' : 'error="invalid_token", ';
      const metadata = resourceMetadataUrl(`http://${request.headers.host}`, route.slug);
      return refuse(
        response,
        { status: 401, text: 'Scopekeeper: sign in first' },
        `Bearer ${error}resource_metadata="${metadata}"`,
      );
    }
    const isMessage = route.type === 'messages';
    const url = isMessage ? relayParts.routes.find(route.stream, connection.id, access.id)?.url : connection.serverUrl;
    if (url === undefined) return refuse(response, { status: 404, text: 'Scopekeeper: this stream has ended' });
    const target: RelayTarget = { connection, access, url, isMessage };
    const call = new Call(request, response);
    calls.add(call, { access: access.id, connection: connection.id });
    new Relay(relayParts, target, call).run().catch((error: unknown) => fail(response, error));
  }

  /** A fault of ours: what it is, is for the log alone. */
  function fail(response: ServerResponse, error: unknown): void {
    log.error(`The gateway failed: ${describeError(error)}`);
    if (response.headersSent) response.destroy();
    else refuse(response, { status: 500, text: 'Scopekeeper failed' });
  }

  return {
    handle(request, response, port) {
      try {
        answer(request, response, port);
      } catch (error) {
        fail(response, error);
      }
    },
    dispose() {
      listener.dispose();
      accessListener.dispose();
    },
  };
}
