import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectionId } from '../../connections/connection.ts';
import { readForm, sendError, sendJson } from './answers.ts';
import type { AuthorizationCodes } from './authorizationCodes.ts';
import type { IssuedTokens, LocalGrants } from './localGrants.ts';
import { connectionByResource } from './metadata.ts';
import type { ScopeRules } from './scopeRules.ts';
import type { ServedResources } from './servedResources.ts';

export interface TokenEndpointParts {
  readonly grants: LocalGrants;
  readonly codes: AuthorizationCodes;
  readonly connections: ServedResources;
  readonly scopes: ScopeRules;
}

type Form = ReadonlyMap<string, string>;

/** Gives tokens for codes and refresh tokens (RFC 6749 sections 4.1.3 and 6, P38-P41). */
export function createTokenEndpoint({ codes, connections, grants, scopes }: TokenEndpointParts) {
  async function redeem(form: Form, clientId: string, origin: string, response: ServerResponse): Promise<void> {
    const code = form.get('code');
    const verifier = form.get('code_verifier');
    const redirectUri = form.get('redirect_uri');
    if (code === undefined) return sendError(response, 400, 'invalid_request', 'There is no code.');
    if (verifier === undefined || !/^[\w.~-]{43,128}$/.test(verifier)) {
      return sendError(response, 400, 'invalid_grant', 'There is no code_verifier, or it is malformed.');
    }
    const redemption = { code, clientId, verifier, isTarget: targetOf(form, origin) };
    const result = await codes.redeem({ ...redemption, ...(redirectUri !== undefined && { redirectUri }) });
    answer(response, result, scopes);
  }

  async function refresh(form: Form, clientId: string, origin: string, response: ServerResponse): Promise<void> {
    const token = form.get('refresh_token');
    if (token === undefined) return sendError(response, 400, 'invalid_request', 'There is no refresh_token.');
    answer(response, await grants.refresh(token, clientId, targetOf(form, origin)), scopes);
  }

  /** Whether the client may mean a connection: it names it, or none (RFC 8707 section 2.2). */
  function targetOf(form: Form, origin: string): (connection: ConnectionId | undefined) => boolean {
    const resource = form.get('resource');
    return (connection) =>
      resource === undefined || connectionByResource(connections, origin, resource)?.id === connection;
  }

  return async (request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> => {
    const form = await readForm(request, response);
    if (form === undefined) return;
    const grantType = form.get('grant_type');
    if (grantType === undefined) return sendError(response, 400, 'invalid_request', 'There is no grant_type.');
    const clientId = clientOf(request, response, form, grants);
    if (clientId === undefined) return;
    if (grantType === 'authorization_code') return redeem(form, clientId, origin, response);
    if (grantType === 'refresh_token') return refresh(form, clientId, origin, response);
    sendError(response, 400, 'unsupported_grant_type', 'The grant type is not supported.');
  };
}

/** The client that says it sends this form; undefined when it is unknown, and was answered. */
export function clientOf(
  { headers }: IncomingMessage,
  response: ServerResponse,
  form: Form,
  grants: LocalGrants,
): string | undefined {
  if (headers.authorization !== undefined) {
    // RFC 6749 section 5.2: the answer names the scheme.
    const demand = { 'www-authenticate': 'Basic realm="Scopekeeper"' };
    sendError(response, 401, 'invalid_client', 'Clients of this gateway have no secret.', demand);
    return undefined;
  }
  const clientId = form.get('client_id');
  if (clientId === undefined) {
    sendError(response, 400, 'invalid_request', 'There is no client_id.');
    return undefined;
  }
  if (grants.client(clientId) === undefined) {
    sendError(response, 401, 'invalid_client', 'The client is not registered.');
    return undefined;
  }
  return clientId;
}

type TokenResult =
  | { readonly type: 'issued'; readonly tokens: IssuedTokens }
  | { readonly type: 'refused' }
  | { readonly type: 'wrong_target' };

function answer(response: ServerResponse, result: TokenResult, scopes: ScopeRules): void {
  switch (result.type) {
    case 'issued': {
      const { accessToken, allowedTools, expiresIn, refreshToken } = result.tokens;
      return sendJson(response, 200, {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: expiresIn,
        refresh_token: refreshToken,
        scope: scopes.granted(allowedTools).join(' '),
      });
    }
    case 'wrong_target':
      return sendError(response, 400, 'invalid_target', 'The grant is for another server.');
    case 'refused':
      // Why is nobody's business: it would tell a thief what is left to try.
      return sendError(
        response,
        400,
        'invalid_grant',
        'The grant is unknown, has ended, or belongs to another client.',
      );
    default:
      result satisfies never;
  }
}
