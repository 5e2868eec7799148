import type { JSONWebKeySet } from 'jose';
import { newSecret, type Grants, type RegisteredClient } from './grants.ts';

const PUBLIC_CLIENT: RegisteredClient = {
  id: '',
  secret: undefined,
  secretExpiresAt: 0,
  authMethod: 'none',
  jwks: undefined,
  redirectUris: [],
  grantTypes: undefined,
  registrationToken: '',
};

/** The client of an assertion that comes without one (RFC 7523 section 3.1). */
export const NO_CLIENT = PUBLIC_CLIENT;

/** The client of a metadata document, which is taken on trust: this server fetches nothing. */
export function documentClient(grants: Grants, id: string, redirectUri: string | undefined): RegisteredClient {
  const client = { ...PUBLIC_CLIENT, id, redirectUris: redirectUri === undefined ? [] : [redirectUri] };
  grants.clients.set(id, client);
  return client;
}

/** A client that somebody registered by hand. */
export interface HandMadeClient {
  readonly id: string;
  readonly secret?: string;
  readonly authMethod: string;
  /** Where it is registered, if not at the first authorization server. */
  readonly at?: 'first' | 'second';
  /** For `private_key_jwt`. */
  readonly jwks?: JSONWebKeySet;
  /** Without them, `/callback` on any loopback port. */
  readonly redirectUris?: readonly string[];
  /** Without them, any. */
  readonly grantTypes?: readonly string[];
}

export function handMadeClient({
  id,
  secret,
  authMethod,
  jwks,
  redirectUris,
  grantTypes,
}: HandMadeClient): RegisteredClient {
  return {
    ...PUBLIC_CLIENT,
    id,
    secret,
    authMethod,
    jwks,
    redirectUris: redirectUris ?? ['http://127.0.0.1/callback'],
    grantTypes,
    registrationToken: newSecret('registration'),
  };
}
