import type { IncomingMessage, ServerResponse } from 'node:http';
import { readForm, sendError, sendJson } from './answers.ts';
import type { LocalGrants } from './localGrants.ts';
import { clientOf } from './tokenEndpoint.ts';

/** Revokes tokens (RFC 7009): what is unknown counts as revoked, what belongs to another client is refused. */
export function createRevocationEndpoint({ grants }: { readonly grants: LocalGrants }) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = await readForm(request, response);
    if (form === undefined) return;
    const clientId = clientOf(request, response, form, grants);
    if (clientId === undefined) return;
    const token = form.get('token');
    if (token === undefined) return sendError(response, 400, 'invalid_request', 'There is no token.');
    const result = await grants.revoke(token, clientId);
    if (result === 'wrong_client') {
      return sendError(response, 400, 'invalid_grant', 'The token belongs to another client.');
    }
    sendJson(response, 200, {});
  };
}
