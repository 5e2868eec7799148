import type { PendingAuthorization } from '../../oauth/authorization.ts';
import type { Client } from '../../oauth/client.ts';
import type { Discovery } from '../../oauth/discovery.ts';
import type { Dpop } from '../../oauth/dpop.ts';
import type { Fetch, Reach } from '../../oauth/fetchPort.ts';
import type { SoftwareIdentity } from '../../oauth/registration.ts';
import type { ScopeSet } from '../../oauth/scopeSet.ts';
import type { TokenAnswer, TokenRequest } from '../../oauth/token.ts';
import type { AuthorizationServerEndpoints } from '../../oauth/tokenEndpoint.ts';
import type { AuthorizationStep, Connection } from '../connection.ts';
import type { ConnectionSecret, StoredCredentials } from '../connectionSecret.ts';
import type { DevicePrompt } from '../connectionService.ts';
import type { Clock, PrepareRedirect, ReadAssertion, ResolveReach } from '../ports.ts';

export interface FlowPorts {
  readonly fetch: Fetch;
  readonly resolveReach: ResolveReach;
  readonly prepareRedirect: PrepareRedirect;
  readonly readAssertion: ReadAssertion;
  readonly clock: Clock;
  readonly software: SoftwareIdentity;
  /** The https URL of this software's client metadata document (CIMD), if it has one. */
  readonly clientMetadataUrl?: (() => string | undefined) | undefined;
}

/** The credentials that are stored now, while nobody else uses them. */
export interface HeldCredentials {
  readonly stored: StoredCredentials | undefined;
  /** Stores others at once, so that a later step that fails does not lose what was given for the next time (P28). */
  readonly keep: (credentials: StoredCredentials) => Promise<void>;
}

/** Runs what uses stored credentials up, one task at a time for each connection (P29). */
export type WithCredentials = <T>(task: (held: HeldCredentials) => Promise<T>) => Promise<T>;

/** A client that is not used where there is another way (P12). */
export interface SuspectClient {
  readonly clientId: string;
  /** The server said that it does not know it; else it led to no callback, and perhaps the server has forgotten it. */
  readonly isRejected: boolean;
}

/** A sign-in once its authorization server is known. */
export interface FlowRequest {
  readonly connection: Connection;
  /** What is stored already; its client is used again where it can be. */
  readonly secret: ConnectionSecret | undefined;
  readonly discovery: Discovery;
  readonly reach: Reach;
  readonly scopes: ScopeSet;
  /** Undefined when this connection leaves it out (P14). */
  readonly resource: string | undefined;
  /** What to bind the tokens to; undefined for bearer tokens. */
  readonly dpop: Dpop | undefined;
  readonly suspect: SuspectClient | undefined;
  /** Told of a client that the server does not know. */
  readonly onClientRejected: (clientId: string) => void;
  /**
   * Keeps a registration as soon as it is made: a sign-in that ends in nothing does not cost it. A keychain that
   * fails stops nothing. Throws `connection_unknown` when the connection is gone; then so is the registration.
   */
  readonly keepClient: (client: Client) => Promise<void>;
  readonly withCredentials: WithCredentials;
  readonly signal: AbortSignal;
  readonly onStep: (step: AuthorizationStep) => void;
  /** Shows the authorization to the person and gives the callback's URL. Throws when it does not come. */
  readonly awaitCallback: (pending: PendingAuthorization) => Promise<URL>;
  /** Shows the person what to enter on another device, for as long as `wait` takes, and gives what that gives. */
  readonly showDevice: <T>(device: DevicePrompt, wait: () => Promise<T>) => Promise<T>;
}

/** Tokens, with all that they belong to. */
export interface FlowResult {
  readonly answer: TokenAnswer;
  readonly authorizationServer: AuthorizationServerEndpoints;
  readonly client: Client;
  readonly resource: string | undefined;
  readonly reach: Reach;
  readonly dpop: Dpop | undefined;
}

/** Gets tokens for a sign-in, with the person where that is needed. */
export type Flow = (ports: FlowPorts, request: FlowRequest) => Promise<FlowResult>;

/** Asks for tokens with nothing but what is stored. */
export interface UnattendedRequest extends TokenRequest {
  readonly connection: Connection;
  readonly secret: ConnectionSecret | undefined;
  readonly withCredentials: WithCredentials;
}

export type UnattendedPorts = Pick<FlowPorts, 'fetch' | 'readAssertion' | 'resolveReach' | 'clock'>;

/** Gets tokens without the person: for a sign-in, and again when they end. */
export type UnattendedGrant = (ports: UnattendedPorts, request: UnattendedRequest) => Promise<TokenAnswer>;
