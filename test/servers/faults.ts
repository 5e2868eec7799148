import type { DeviceSwitch, DpopSwitch, EntraSwitch } from './grantSwitches.ts';

/** The places of the faulty server that a delay or a fault can be aimed at. */
export type Endpoint =
  | 'mcp'
  | 'resourceMetadata'
  | 'metadata'
  | 'registration'
  | 'authorization'
  | 'deviceAuthorization'
  | 'token'
  | 'revocation'
  | 'idpMetadata'
  | 'idpAuthorization'
  | 'idpToken'
  | 'idpKeys';

/** A correct answer of the token endpoint, before it is spoilt. */
export interface TokenBody {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in?: number;
  readonly scope?: string;
  readonly refresh_token?: string;
}

/**
 * The switches of the faulty server; both authorization servers follow them. All may be turned while it runs;
 * `noFaults` is a correct server.
 */
export interface Faults {
  // The MCP server.
  /** Answers everything with 200, token or not. */
  unprotected: boolean;
  /** Answers with a web page and 200. */
  html: boolean;
  /** Answers with 404. */
  notFound: boolean;
  /** Refuses every token with 401. */
  rejectTokens: boolean;
  /** Refuses good tokens with a 403: a bare one, or one that challenges with `challengeScope`, for ever. */
  forbidden: 'no' | 'plain' | 'insufficient_scope';
  /** `scope` in the 401 challenge, and in that of `forbidden`. */
  challengeScope: string | undefined;
  /** Whether challenges name the resource metadata. */
  challengeResourceMetadata: boolean;
  /** Sent instead of the 401's `WWW-Authenticate`, one header for each. */
  rawChallenge: readonly string[] | undefined;

  // Protected resource metadata (RFC 9728).
  /** There is none: a 2025-03-26 server, whose own origin is the authorization server. */
  noResourceMetadata: boolean;
  /** Where it is: at the path-inserted URL, the root one, or one that only the challenge tells. */
  resourceMetadataAt: 'path' | 'root' | 'elsewhere';
  /** Another `resource` than the MCP server's URL. */
  prmResource: string | undefined;
  /** Which authorization servers it names, in this order. The MCP server takes the tokens of both. */
  issuers: 'first' | 'second' | 'both' | 'second-first';
  /** Names these instead. */
  prmIssuers: readonly string[] | undefined;
  /** Its `scopes_supported`. */
  scopesSupported: readonly string[] | undefined;
  /** Redirects there instead of giving the resource metadata. */
  redirectResourceMetadataTo: string | undefined;

  // Authorization server metadata (RFC 8414).
  /** There is none. */
  noMetadata: boolean;
  /** Another status than 200. */
  metadataStatus: number;
  /** The first authorization server answers 503; the second does not. */
  firstIssuerDown: boolean;
  /** A web page with that status, as of a captive portal. */
  metadataHtml: boolean;
  /** A path in the issuer, e.g. `/tenant`; with it, `issuer` changes. */
  issuerPath: string;
  /** Another `issuer` in the document than the one it was fetched for. */
  metadataIssuer: string | undefined;
  /** The one well-known URL that it is at. */
  metadataAt: 'rfc8414' | 'oidc-inserted' | 'oidc-appended';
  /** Redirects there instead; `/moved/metadata` at the issuer's origin has the document. */
  redirectMetadataTo: string | undefined;
  /** Its `scopes_supported`. */
  asScopesSupported: readonly string[] | undefined;
  /** Does not say that it does PKCE. */
  noPkce: boolean;
  /** Its `token_endpoint_auth_methods_supported`; the token endpoint holds clients to theirs. */
  authMethods: readonly string[];
  /** The algorithms of client assertions that it takes and names; undefined takes the usual ones and names none. */
  authSigningAlgs: readonly string[] | undefined;
  /** What a client assertion must be made out to. RFC 7523 allows both. */
  assertionAudience: 'either' | 'issuer' | 'token_endpoint';
  /** The grants that it offers; `device` adds its own. */
  grantTypes: readonly string[];
  /** Its `authorization_grant_profiles_supported`. */
  grantProfiles: readonly string[] | undefined;
  /** Whether it says that callbacks carry `iss` (RFC 9207). */
  advertiseIss: boolean;

  // Registration (RFC 7591).
  /** There is no registration endpoint. */
  noRegistration: boolean;
  /** Another status than 201; an error one comes with `registrationError`. */
  registrationStatus: number;
  /** Which authorization servers follow `registrationStatus`. */
  registrationStatusAt: 'both' | 'first';
  /** Registers no redirect URI of plain http, as those of this computer are: `invalid_redirect_uri`. */
  rejectLoopback: boolean;
  /** The `error` of a refused registration. */
  registrationError: string;
  /** How the answer spells `scope`. */
  registrationScopeStyle: 'string' | 'array' | 'null' | 'absent';
  /** Issues a secret, to clients that asked for `none` too. `expiresAt` in seconds since the epoch, 0 for never. */
  clientSecret: { readonly expiresAt: number } | undefined;
  /**
   * Offers management of the registration (RFC 7592): as it should be, with an answer of 503, or at a
   * `registration_client_uri` on the origin of the other authorization server.
   */
  registrationManagement: 'ok' | 'error' | 'absent' | 'elsewhere';

  /** Takes an https URL for a client ID (CIMD), or says so and then refuses it. */
  clientMetadata: 'accepted' | 'refused' | undefined;

  // Authorization.
  /** `iss` in the callback; `repeated` is the right one and then a wrong one, `slash` has a slash too many. */
  callbackIss: 'right' | 'wrong' | 'absent' | 'repeated' | 'slash';
  /** `state` in the callback; `repeated` is the right one and then a wrong one. */
  callbackState: 'right' | 'wrong' | 'absent' | 'repeated';
  /** Every authorization ends in `access_denied`. */
  denyAuthorization: boolean;
  /** Of the scopes asked for, grants only these. */
  grantOnly: readonly string[] | undefined;
  /** Refuses an authorization, or a request for client credentials, that asks for one of these with `invalid_scope`. */
  rejectScopes: readonly string[];
  /** Refuses `resource` with `invalid_target`, everywhere; then tokens need none. */
  rejectResource: boolean;

  /** Offers device authorization (RFC 8628), and ends it so. */
  device: DeviceSwitch | undefined;
  /** Offers DPoP (RFC 9449), here and at the MCP server. */
  dpop: DpopSwitch | undefined;
  /** Has the ways of Microsoft Entra ID. */
  entra: EntraSwitch | undefined;

  // Token endpoint.
  /** Another status than 200. From 400 on nothing is issued or used up. */
  tokenStatus: number;
  /** Only so many more token requests fail with `tokenStatus`; undefined for all. */
  tokenFailures: number | undefined;
  /** `Retry-After` of such an error. */
  retryAfter: string | undefined;
  /** Answers 200 with a web page; nothing is issued or used up. */
  tokenHtml: boolean;
  /**
   * Redirects there, e.g. to the other token endpoint; nothing is issued or used up. A client that follows a 307 or 308
   * sends its secrets again.
   */
  tokenRedirect: { readonly status: 302 | 307 | 308; readonly to: string } | undefined;
  /** Answers `invalid_client`. */
  invalidClient: boolean;
  /** Answers `invalid_grant`. */
  invalidGrant: boolean;
  /** Makes the body from the correct one; a string is sent as it is, `URLSearchParams` as a form, anything else as JSON. */
  tokenBody: ((body: TokenBody) => unknown) | undefined;
  /** Issues and uses up, then breaks the connection instead of answering. */
  dropTokenAnswer: boolean;
  /** Lifetime of access tokens in seconds; undefined leaves `expires_in` out and they never end. */
  expiresIn: number | undefined;
  /** Issues no refresh tokens. */
  noRefreshToken: boolean;
  /** Leaves `scope` out. */
  omitScope: boolean;
  /** Says this for `scope`, whatever was granted. */
  echoScope: string | undefined;

  // Refresh.
  /** A refresh without `scope` gives a token without any scope, and says so unless `omitScope`. */
  dropScopesUnlessSent: boolean;
  /** Answers `invalid_scope` to a refresh with `scope`. */
  rejectScopeOnRefresh: boolean;
  /** Gives a new refresh token for each used one. */
  rotate: boolean;
  /** Reuse of a rotated token ends the whole family. */
  strictRotation: boolean;
  /** A rotated token that comes again is taken once more, as if its answer had been lost. */
  graceOnReuse: boolean;
  /** Does not rotate, and answers `refresh_token: ""`. */
  emptyRefreshToken: boolean;

  // Revocation (RFC 7009).
  revocation: 'ok' | 'error' | 'absent';

  // The identity provider (SEP-990).
  /** How its one client authenticates; `FaultyServer.identityProvider` has the secret. */
  idpAuthMethod: 'none' | 'client_secret_basic' | 'client_secret_post';
  /** Refuses to make ID-JAGs: the session is over, for refreshes too, or the policy says no. */
  idpRefuses: 'invalid_grant' | 'access_denied' | undefined;
  /** The provider's `scopes_supported`. */
  idpScopesSupported: readonly string[];
  /** Gives a new refresh token for each used one, which is then over. */
  idpRotate: boolean;
  /** Lifetime of ID tokens in seconds. */
  idTokenExpiresIn: number;
  /** The `client_id` of ID-JAGs: what the client is called at the authorization server. Undefined for as at the IdP. */
  idJagClientId: string | undefined;

  // Anywhere.
  /** What time the servers think it is, in milliseconds since the epoch. */
  now: () => number;
  /** How long an endpoint waits before it acts, in milliseconds. */
  delayMs: Partial<Record<Endpoint, number>>;
  /** This endpoint answers 200 with a JSON document of 1 MiB. */
  hugeBody: Endpoint | undefined;
}
