import { singleParameters } from './answers.ts';
import type { LocalClient } from './registryState.ts';
import { isSameRedirect } from './redirectUris.ts';
import type { ServedResource } from './servedResources.ts';

/** A request that is fit to be put to the person. */
export interface AuthorizationRequest {
  readonly client: LocalClient;
  readonly redirectUri: string;
  readonly state?: string;
  /** S256 (RFC 7636). */
  readonly challenge: string;
  /** Undefined when the client names none, and the person chooses. */
  readonly connection?: ServedResource;
  /** The scopes that it asks for; none when it names none. */
  readonly scopes: readonly string[];
}

export type RequestJudgement =
  | { readonly type: 'ask'; readonly request: AuthorizationRequest }
  /** Told to the client: it is known, and so is where it is. */
  | {
      readonly type: 'refuse';
      readonly redirectUri: string;
      readonly state?: string;
      readonly error: string;
      readonly description: string;
    }
  /** Told to the person alone: nobody knows whose redirect URI this is (RFC 6749 section 4.1.2.1). */
  | { readonly type: 'page'; readonly problem: 'unknown_client' | 'wrong_redirect' | 'invalid_request' };

/**
 * Judges an authorization request (RFC 6749 section 4.1.1, RFC 7636, RFC 8707).
 * @param connectionOf gives the connection that a `resource` names
 */
export function judgeAuthorizationRequest(
  query: URLSearchParams,
  clientOf: (id: string) => LocalClient | undefined,
  connectionOf: (resource: string) => ServedResource | undefined,
): RequestJudgement {
  const [clientId, ...moreClients] = query.getAll('client_id');
  const [redirectUri, ...moreRedirects] = query.getAll('redirect_uri');
  if (moreClients.length + moreRedirects.length > 0) return { type: 'page', problem: 'invalid_request' };
  const client = clientId === undefined ? undefined : clientOf(clientId);
  if (client === undefined) return { type: 'page', problem: 'unknown_client' };
  if (redirectUri === undefined || !client.redirectUris.some((uri) => isSameRedirect(uri, redirectUri))) {
    return { type: 'page', problem: 'wrong_redirect' };
  }

  const states = query.getAll('state').filter((state) => state !== '');
  const [state] = states;
  const back = { redirectUri, ...(states.length === 1 && state !== undefined && { state }) };
  const refuse = (error: string, description: string): RequestJudgement => {
    return { type: 'refuse', ...back, error, description };
  };
  const resources = query.getAll('resource').filter((resource) => resource !== '');
  const rest = new URLSearchParams(query);
  // RFC 8707 section 2 allows several.
  rest.delete('resource');
  const parameters = singleParameters(rest);
  if (parameters === undefined) return refuse('invalid_request', 'A parameter is there more than once.');
  const responseType = parameters.get('response_type');
  if (responseType === undefined) return refuse('invalid_request', 'There is no response_type.');
  if (responseType !== 'code') return refuse('unsupported_response_type', 'The response type has to be code.');
  if ((parameters.get('response_mode') ?? 'query') !== 'query') {
    return refuse('invalid_request', 'The response mode has to be query.');
  }
  const challenge = parameters.get('code_challenge');
  // Without a method `plain` is meant (RFC 7636 section 4.3).
  if (challenge === undefined || parameters.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(challenge)) {
    return refuse('invalid_request', 'PKCE with S256 is needed.');
  }
  const [resource, ...others] = resources;
  const connection = resource === undefined ? undefined : connectionOf(resource);
  if (others.length > 0 || (resource !== undefined && connection === undefined)) {
    return refuse('invalid_target', 'The resource has to be one server of this gateway.');
  }
  const scopes = (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const request = { client, ...back, challenge, scopes, ...(connection !== undefined && { connection }) };
  return { type: 'ask', request };
}
