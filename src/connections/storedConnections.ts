import {
  array,
  boolean,
  check,
  exactOptional,
  type InferOutput,
  literal,
  maxValue,
  minValue,
  number,
  object,
  picklist,
  pipe,
  readonly,
  regex,
  string,
  url,
} from 'valibot';
import { CONNECTION_KINDS } from './connection.ts';
import { LOCAL_CLIENT_KINDS } from './scopeDemand.ts';
import { REFRESH_SCOPES } from './refreshAttempts.ts';
import { SLUG } from './slug.ts';

const scopes = pipe(array(string()), readonly());
/** The instants that a `Date` can hold. */
const instant = pipe(number(), minValue(0), maxValue(8.64e15));

const storedGrant = object({
  authorized: scopes,
  granted: scopes,
  expiresAt: exactOptional(instant),
  refreshable: boolean(),
  issuedAt: instant,
  refreshedAt: exactOptional(instant),
  generation: number(),
});

const storedClient = object({ kind: picklist(LOCAL_CLIENT_KINDS), label: string() });

const storedActivity = object({
  at: instant,
  type: picklist([
    'added',
    'connected',
    'refreshed',
    'scopes_dropped',
    'scopes_restored',
    'sign_in_failed',
    'sign_in_cancelled',
    'refresh_failed',
    'sign_in_needed',
    'consent_needed',
    'disconnected',
  ]),
  scopes: exactOptional(scopes),
  operation: exactOptional(string()),
  client: exactOptional(storedClient),
  requested: exactOptional(scopes),
  challenged: exactOptional(scopes),
  expiresAt: exactOptional(instant),
  errorCode: exactOptional(string()),
});

const storedDemand = object({
  at: instant,
  scopes,
  operation: exactOptional(string()),
  client: exactOptional(storedClient),
});

/** One connection's part of the file. */
export const storedConnection = object({
  id: string(),
  name: string(),
  /** Files of earlier versions have none. */
  slug: exactOptional(pipe(string(), regex(SLUG))),
  serverUrl: pipe(string(), url()),
  kind: picklist(CONNECTION_KINDS),
  resource: exactOptional(string()),
  issuer: exactOptional(string()),
  issuers: exactOptional(scopes),
  account: exactOptional(string()),
  requested: scopes,
  challenged: scopes,
  declined: exactOptional(scopes),
  demands: exactOptional(pipe(array(storedDemand), readonly())),
  scopesSupported: exactOptional(scopes),
  resourceMetadataUrl: exactOptional(string()),
  settings: object({
    allowUnadvertisedPkce: exactOptional(boolean()),
    omitResource: exactOptional(boolean()),
    scopes: exactOptional(scopes),
    fixedScopes: exactOptional(scopes),
    client: exactOptional(object({ issuer: string(), clientId: string() })),
    issuer: exactOptional(string()),
    redirect: exactOptional(picklist(['loopback', 'uri_handler'])),
    dpop: exactOptional(picklist(['always', 'never'])),
    assertionFile: exactOptional(string()),
    assertionIssuer: exactOptional(string()),
    identityProvider: exactOptional(object({ issuer: string(), clientId: string() })),
    caFile: exactOptional(string()),
  }),
  /** The last grant, if there is one; what was going on when the window ended is not kept. */
  grant: exactOptional(storedGrant),
  /** Set when the connection needs the person. */
  needsSignIn: exactOptional(
    object({
      reason: picklist([
        'grant_rejected',
        'client_rejected',
        'expired',
        'token_rejected',
        'secret_missing',
        'secret_unreadable',
        'issuer_changed',
      ]),
      since: instant,
    }),
  ),
  /** Where its secret was last written, if it has one: tells a locked keychain from an empty one. */
  secretIn: exactOptional(picklist(['keychain', 'editor'])),
  /** The highest generation of its secret that was ever stored. */
  generation: number(),
  activity: array(storedActivity),
});

/** What was learnt of an authorization server, for all its connections. */
export const storedIssuerSchema = object({
  issuer: string(),
  /** What to begin a refresh with (P27). */
  refresh: object({ scope: exactOptional(picklist(REFRESH_SCOPES)), omitsResource: exactOptional(literal(true)) }),
});

/** The public data file, version 1. No secret is in it. */
export const storedConnectionsSchema = object({
  version: literal(1),
  connections: pipe(
    array(storedConnection),
    check((connections) => new Set(connections.map(({ id }) => id)).size === connections.length, 'the same id twice'),
  ),
  issuers: exactOptional(array(storedIssuerSchema)),
});

export type StoredConnection = InferOutput<typeof storedConnection>;
export type StoredConnections = InferOutput<typeof storedConnectionsSchema>;
