import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { Disposable } from '../connections/ports.ts';
import type { LocalClient } from '../connections/scopeDemand.ts';
import type { AllowedTools, LocalAccess } from './localAccess.ts';

/** The connections, as the gateway sees them. */
export type GatewayConnections = Pick<ConnectionService, 'connections' | 'get' | 'onDidChangeConnection'>;

/** Judges the tokens that local clients present. */
export interface AccessTokens {
  /**
   * The access that `token` gives to the connection now; undefined for none. Compares in constant time (P41), and
   * notes the use.
   */
  use(token: string, connection: ConnectionId): LocalAccess | undefined;
  /** Who has access now. */
  readonly accesses: readonly LocalAccess[];
  onDidChangeAccesses(listener: () => void): Disposable;
}

/** What a server answers. */
export interface UpstreamAnswer {
  readonly statusCode: number;
  /** As `node:http` gives them. */
  readonly headers: IncomingHttpHeaders;
  /** All of the body, where it came along with the head, as short ones do; undefined where it is still to be read. */
  readonly whole: Buffer | undefined;
  /** The body, which breaks off when the server's does. To be read, or destroyed, unless it is `whole`. */
  readonly body: Readable;
}

/** A request on its way to an MCP server. */
export interface UpstreamExchange {
  /** Rejects with `OAuthError`, as the guarded fetch does. */
  readonly answer: Promise<UpstreamAnswer>;
  /** Ends the exchange wherever it is; the answer then rejects, or breaks off. After its end it does nothing. */
  abort(): void;
}

/**
 * Sends requests to MCP servers over connections that are kept alive: with the editor's proxy and certificates, to
 * addresses within the connection's reach only (P20). Follows no redirect (P36). Has no time-out once it is connected: a
 * tool may work for long, and a stream has no end.
 */
export interface Upstream {
  /**
   * @param body sent as it is; a stream is read as fast as the server takes it. Its length, where it is known, is among
   * the headers.
   */
  send(connection: Connection, head: UpstreamHead, body: Buffer | Readable): UpstreamExchange;
  dispose(): void;
}

export interface UpstreamHead {
  readonly method: string;
  /** Of the same origin as the connection's server. */
  readonly url: string;
  /** Names and values in turn, which is how Node writes them at the least cost. */
  readonly headers: readonly string[];
}

/** What the person is asked before a local client gets in. Texts of the client are its own claims, fit to be shown. */
export interface ConsentRequest {
  readonly clientName: string;
  readonly redirectUri: string;
  /** The connection that it asks for; undefined when it names none, and the person chooses. */
  readonly connection?: ConnectionId;
  /** What the person allowed the same client before: only to begin with (P44). */
  readonly remembered?: AllowedTools;
}

export type ConsentAnswer =
  | { readonly type: 'allowed'; readonly connection: ConnectionId; readonly allowedTools: AllowedTools }
  | { readonly type: 'denied' };

/** Asks the person in the editor, in the window focused last. Aborting takes the question back. */
export type AskConsent = (request: ConsentRequest, signal: AbortSignal) => Promise<ConsentAnswer>;

/** How long what the gateway gives is good, in ms (P39). */
export interface TokenLifetimes {
  /** 24 h by default. */
  readonly accessTokenMs: number;
  /** 30 days by default. */
  readonly refreshTokenMs: number;
  /** How long a repeated refresh gives the same successor (P40). 30 s by default, 0 for never. */
  readonly graceMs: number;
}

/** What a server demands of the person before a local client's request can succeed. Holds no secret. */
export interface Demand {
  readonly connection: ConnectionId;
  /** The scopes that the person has not granted (P22); empty when the connection needs a sign-in. */
  readonly scopes: readonly string[];
  /** What the client was at, e.g. `tools/call add_note`. Of the client, and only plain text once it was made so. */
  readonly operation?: string;
  /** Whose request it was, where that is known. */
  readonly client?: LocalClient;
}

/**
 * Tells the person of a demand in the editor, in the window focused last, and resolves when the person has answered.
 * Aborting says that nobody needs it any more.
 */
export type TellDemand = (demand: Demand, signal: AbortSignal) => Promise<void>;

/** What the browser shows of the gateway's authorization server. The client's name is its own claim. */
export type AuthorizationPage =
  /** The person answers in the editor. */
  | { readonly type: 'asking'; readonly clientName: string }
  | {
      readonly type: 'refused';
      readonly problem: 'unknown_client' | 'wrong_redirect' | 'invalid_request' | 'page_expired' | 'unavailable';
    };

/** Makes the whole HTML page, without scripts and with nothing to load. */
export type RenderAuthorizationPage = (page: AuthorizationPage) => string;
