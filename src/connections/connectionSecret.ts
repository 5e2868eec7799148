import {
  array,
  boolean,
  exactOptional,
  type InferOutput,
  literal,
  number,
  object,
  optional,
  picklist,
  pipe,
  readonly,
  record,
  safeParse,
  string,
  transform,
} from 'valibot';
import { type Client, TOKEN_ENDPOINT_AUTH_METHODS } from '../oauth/client.ts';
import type { AuthorizationServerEndpoints } from '../oauth/tokenEndpoint.ts';
import type { ConnectionKind } from './connection.ts';
import { ConnectionError } from './errors.ts';
import { REFRESH_SCOPES } from './refreshAttempts.ts';

const strings = pipe(array(string()), readonly());

/** A JWK's members are texts. */
const signingKeySchema = object({ algorithm: string(), jwk: record(string(), string()) });

const clientSchema = object({
  issuer: string(),
  clientId: string(),
  clientSecret: exactOptional(string()),
  privateKey: exactOptional(signingKeySchema),
  authMethod: picklist(TOKEN_ENDPOINT_AUTH_METHODS),
  source: picklist(['preregistered', 'metadata_document', 'registered']),
  redirectUris: exactOptional(strings),
  scopes: exactOptional(strings),
  secretExpiresAt: exactOptional(number()),
  management: exactOptional(object({ uri: string(), accessToken: string() })),
});

const tokensSchema = object({
  accessToken: string(),
  refreshToken: exactOptional(string()),
  /** The client that the tokens were issued to; a refresh must come from the same one. */
  client: exactOptional(clientSchema),
  /** The endpoints that the tokens may be sent to, fixed when they were issued; none for a token that the person brought. */
  authorizationServer: exactOptional(
    object({
      issuer: string(),
      authorization_endpoint: optional(string()),
      token_endpoint: string(),
      revocation_endpoint: optional(string()),
      authorization_response_iss_parameter_supported: optional(boolean()),
    }),
  ),
  /** The last refresh left the refresh token as it was: an answer that is lost costs nothing. */
  keepsRefreshToken: exactOptional(literal(true)),
  /** RFC 8707; undefined when this connection leaves it out. */
  resource: exactOptional(string()),
  /** Where older versions kept which `scope` a refresh sends; read until the next refresh (P27). */
  refreshScope: exactOptional(picklist(REFRESH_SCOPES)),
  /** The key that was proven when the tokens were issued (RFC 9449); undefined where none was wanted. */
  dpopKey: exactOptional(signingKeySchema),
  /** Whether the access token is bound to that key; a server may give a bearer token all the same (section 5). */
  tokenType: exactOptional(picklist(['bearer', 'dpop'])),
});

const credentialsSchema = object({
  /** A token for the MCP server itself. */
  accessToken: exactOptional(string()),
  /** A workload's identity token. */
  assertion: exactOptional(string()),
  /** The sign-in at the company's identity provider, bound to the issuer and client that it is for. */
  identityProvider: exactOptional(
    object({
      issuer: string(),
      clientId: string(),
      clientSecret: exactOptional(string()),
      idToken: exactOptional(string()),
      refreshToken: exactOptional(string()),
    }),
  ),
});

/** The version of the document that this code reads and writes. */
const VERSION = 1;

const documentSchema = object({
  version: literal(VERSION),
  /** Counts every token answer that was stored, from 1; the highest is the newest (P30). */
  generation: number(),
  /**
   * The generation in which the last answer of a token endpoint was stored; the same as `generation` where it is
   * missing. Other changes to the document leave it, so that an answer in the journal is known not to be stored yet.
   */
  answered: exactOptional(number()),
  /** The server that the tokens are for: a token never goes to another one, whatever the public file says. */
  serverUrl: string(),
  /**
   * The clients that were registered for this connection (P11), used again after signing out (P18a): one for each
   * issuer, and the one that the tokens are of while a newer one has not given any.
   */
  clients: exactOptional(pipe(array(clientSchema), readonly())),
  /** Where older versions kept the only one. */
  client: exactOptional(clientSchema),
  /** A client that the person registered by hand, bound to the issuer that it belongs to (P11). */
  configuredClient: exactOptional(
    object({
      issuer: string(),
      clientId: string(),
      clientSecret: exactOptional(string()),
      privateKey: exactOptional(signingKeySchema),
    }),
  ),
  /** What else the person brought, or signed in to for it. */
  credentials: exactOptional(credentialsSchema),
  tokens: exactOptional(tokensSchema),
});

const connectionSecretSchema = pipe(
  documentSchema,
  transform(({ client, ...document }) => {
    const clients = document.clients ?? (client === undefined ? undefined : [client]);
    return { ...document, ...(clients !== undefined && { clients }) };
  }),
);

export type ConfiguredClient = NonNullable<InferOutput<typeof documentSchema>['configuredClient']>;
export type StoredCredentials = InferOutput<typeof credentialsSchema>;
export type StoredTokens = InferOutput<typeof tokensSchema>;
/** What the keychain holds for one connection, as one document: one write, one truth. */
export type ConnectionSecret = InferOutput<typeof connectionSecretSchema>;

/** A connection is seldom moved to another issuer; of those that it was moved to long ago nothing is kept. */
const CLIENTS_AT_MOST = 5;

type ClientId = Pick<Client, 'issuer' | 'clientId'>;

/** Whether two are one client; an ID alone says nothing, since each issuer gives its own. */
export function isSameClient(one: ClientId, other: ClientId | undefined): boolean {
  return one.issuer === other?.issuer && one.clientId === other.clientId;
}

/**
 * The registered clients with a new one as the last, which takes the place of its issuer's earlier one.
 * @param inUse the client that there are tokens of, whose registration has to stay for them.
 */
export function withRegisteredClient(
  clients: NonNullable<ConnectionSecret['clients']>,
  client: Client,
  inUse?: ClientId,
): NonNullable<ConnectionSecret['clients']> {
  const earlier = clients.filter((one) => !isSameClient(one, client));
  const others = earlier.filter((one) => one.issuer !== client.issuer && !isSameClient(one, inUse));
  const used = earlier.filter((one) => isSameClient(one, inUse));
  return [...others, ...used, { ...client }].slice(-CLIENTS_AT_MOST);
}

/** Tokens with who issued them, and to whom. */
export interface IssuedTokens extends StoredTokens {
  readonly client: Client;
  readonly authorizationServer: AuthorizationServerEndpoints;
}

/** The tokens, if an authorization server issued them; undefined for one that the person brought. */
export function issuedTokens(secret: ConnectionSecret | undefined): IssuedTokens | undefined {
  const { client, authorizationServer } = secret?.tokens ?? {};
  if (secret?.tokens === undefined || client === undefined || authorizationServer === undefined) return undefined;
  return { ...secret.tokens, client, authorizationServer };
}

/** The generation in which the document took its last answer of a token endpoint. */
export function answeredIn({ answered, generation }: ConnectionSecret): number {
  return answered ?? generation;
}

/** What stays of a document when its tokens go: registrations and what proves a client, under the next generation. */
export function withoutTokens(secret: ConnectionSecret): ConnectionSecret {
  const { answered: _answered, tokens: _tokens, credentials, ...rest } = secret;
  const kept = credentials === undefined ? undefined : withoutSessions(credentials);
  return { ...rest, ...(kept !== undefined && { credentials: kept }), generation: rest.generation + 1 };
}

type IdentitySession = NonNullable<StoredCredentials['identityProvider']>;

function withoutSession({
  idToken: _idToken,
  refreshToken: _refreshToken,
  ...client
}: IdentitySession): IdentitySession {
  return client;
}

function withoutSessions({ assertion, identityProvider }: StoredCredentials): StoredCredentials | undefined {
  if (assertion === undefined && identityProvider === undefined) return undefined;
  return {
    ...(assertion !== undefined && { assertion }),
    ...(identityProvider !== undefined && { identityProvider: withoutSession(identityProvider) }),
  };
}

/**
 * What stays of a document when its connection gets its tokens in another way: no tokens, no registration, which is
 * good for one kind only, and nothing that the person brought, or signed in for, in the old one. What proves a client
 * that was registered by hand stays, as that client does.
 * @param kind the old one.
 */
export function withoutKind(secret: ConnectionSecret, kind: ConnectionKind): ConnectionSecret {
  const { answered: _answered, clients: _clients, credentials, tokens: _tokens, ...rest } = secret;
  const kept = credentials === undefined ? undefined : withoutTokensOf(kind, credentials);
  return { ...rest, ...(kept !== undefined && { credentials: kept }), generation: rest.generation + 1 };
}

function withoutTokensOf(
  kind: ConnectionKind,
  { accessToken, assertion, identityProvider }: StoredCredentials,
): StoredCredentials | undefined {
  const provider =
    identityProvider !== undefined && kind === 'enterprise_managed'
      ? withoutSession(identityProvider)
      : identityProvider;
  const kept: StoredCredentials = {
    ...(accessToken !== undefined && kind !== 'static_token' && { accessToken }),
    ...(assertion !== undefined && kind !== 'workload_identity' && { assertion }),
    ...(provider !== undefined && { identityProvider: provider }),
  };
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** Whether there is anything in a document to keep. */
export function isEmptySecret({ clients, configuredClient, credentials, tokens }: ConnectionSecret): boolean {
  return [clients, configuredClient, credentials, tokens].every((part) => part === undefined);
}

/** Writes a secret document as the text that a {@link SecretStore} keeps. */
export function formatConnectionSecret(secret: ConnectionSecret): string {
  return JSON.stringify(secret);
}

const versionedSchema = object({ version: number() });

/** Reads a secret document. Throws `secret_unreadable` or `secret_too_new`; the text is in neither message nor cause. */
export function parseConnectionSecret(id: string, text: string): ConnectionSecret {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ConnectionError('secret_unreadable', { id });
  }
  const versioned = safeParse(versionedSchema, document);
  if (versioned.success && versioned.output.version > VERSION) {
    throw new ConnectionError('secret_too_new', { id, version: versioned.output.version });
  }
  const result = safeParse(connectionSecretSchema, document);
  if (!result.success) throw new ConnectionError('secret_unreadable', { id });
  return result.output;
}
