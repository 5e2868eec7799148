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
  safeParse,
  string,
} from 'valibot';
import { TOKEN_ENDPOINT_AUTH_METHODS } from '../oauth/client.ts';
import { ConnectionError } from './errors.ts';

const strings = pipe(array(string()), readonly());

const clientSchema = object({
  issuer: string(),
  clientId: string(),
  clientSecret: exactOptional(string()),
  authMethod: picklist(TOKEN_ENDPOINT_AUTH_METHODS),
  source: picklist(['preregistered', 'metadata_document', 'registered']),
  redirectUris: exactOptional(strings),
  scopes: exactOptional(strings),
  secretExpiresAt: exactOptional(number()),
});

const tokensSchema = object({
  accessToken: string(),
  refreshToken: exactOptional(string()),
  /** The client that the tokens were issued to; a refresh must come from the same one. */
  client: clientSchema,
  /** The endpoints that the tokens may be sent to, fixed when they were issued. */
  authorizationServer: object({
    issuer: string(),
    authorization_endpoint: string(),
    token_endpoint: string(),
    revocation_endpoint: optional(string()),
    authorization_response_iss_parameter_supported: optional(boolean()),
  }),
  /** RFC 8707; undefined when this connection leaves it out. */
  resource: exactOptional(string()),
  /** Which `scope` a refresh sends, as learnt from this issuer (P27). */
  refreshScope: exactOptional(picklist(['authorized', 'requested', 'omitted'])),
});

const connectionSecretSchema = object({
  version: literal(1),
  /** Counts every token answer that was stored, from 1; the highest is the newest (P30). */
  generation: number(),
  /** The server that the tokens are for: a token never goes to another one, whatever the public file says. */
  serverUrl: string(),
  /** The client that was registered for this connection; used again after signing out (P18a). */
  client: exactOptional(clientSchema),
  /** A client that the person registered by hand, bound to the issuer that it belongs to (P11). */
  configuredClient: exactOptional(
    object({ issuer: string(), clientId: string(), clientSecret: exactOptional(string()) }),
  ),
  tokens: exactOptional(tokensSchema),
});

export type ConfiguredClient = NonNullable<InferOutput<typeof connectionSecretSchema>['configuredClient']>;
export type StoredTokens = InferOutput<typeof tokensSchema>;
/** What the keychain holds for one connection, as one document: one write, one truth. */
export type ConnectionSecret = InferOutput<typeof connectionSecretSchema>;

/** What stays of a document when its tokens go: registrations, under the next generation. */
export function withoutTokens(secret: ConnectionSecret): ConnectionSecret {
  const { tokens: _, ...rest } = secret;
  return { ...rest, generation: rest.generation + 1 };
}

/** Writes a secret document as the text that a {@link SecretStore} keeps. */
export function formatConnectionSecret(secret: ConnectionSecret): string {
  return JSON.stringify(secret);
}

/** Reads a secret document. Throws `secret_unreadable`; the text is in neither message nor cause. */
export function parseConnectionSecret(id: string, text: string): ConnectionSecret {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ConnectionError('secret_unreadable', { id });
  }
  const result = safeParse(connectionSecretSchema, document);
  if (!result.success) throw new ConnectionError('secret_unreadable', { id });
  return result.output;
}
