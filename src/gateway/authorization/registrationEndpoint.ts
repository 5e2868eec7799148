import type { IncomingMessage, ServerResponse } from 'node:http';
import { array, looseObject, nullish, safeParse, string, unknown } from 'valibot';
import type { Clock } from '../../connections/ports.ts';
import { plainText } from '../../oauth/errors.ts';
import { readBody, sendError, sendJson } from './answers.ts';
import type { LocalGrants } from './localGrants.ts';
import { GRANT_TYPES } from './metadata.ts';
import { RateLimit } from './rateLimit.ts';
import { isAllowedRedirect } from './redirectUris.ts';
import type { ScopeRules } from './scopeRules.ts';

/** What we read of a registration (RFC 7591 section 2); all else is the client's own business. */
const metadataSchema = looseObject({
  redirect_uris: array(string()),
  client_name: nullish(unknown()),
  grant_types: nullish(array(string())),
  response_types: nullish(array(string())),
});

const REGISTRATIONS_AT_MOST = 30;
const PER_MS = 60_000;
const REDIRECTS_AT_MOST = 20;
const LONGEST_NAME = 100;

export interface RegistrationEndpointParts {
  readonly grants: LocalGrants;
  readonly scopes: ScopeRules;
  readonly clock: Clock;
}

/** Registers clients (RFC 7591): public ones, that come back to this machine (P38, P44). */
export function createRegistrationEndpoint({ clock, grants, scopes }: RegistrationEndpointParts) {
  const rate = new RateLimit(clock, REGISTRATIONS_AT_MOST, PER_MS);

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request, response, 'application/json');
    if (body.type === 'answered') return;
    const document = parseJson(body.text);
    const metadata = safeParse(metadataSchema, document);
    if (!metadata.success) {
      const isRedirect = metadata.issues.some(({ path }) => path?.[0]?.key === 'redirect_uris');
      const error = isRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata';
      return sendError(response, 400, error, 'The client metadata cannot be read.');
    }
    const { client_name: claimedName, grant_types: grants_, redirect_uris: uris } = metadata.output;
    const { response_types: responses } = metadata.output;
    if (grants_ && !grants_.includes('authorization_code')) {
      return sendError(response, 400, 'invalid_client_metadata', 'The grant type has to be authorization_code.');
    }
    if (responses && !responses.includes('code')) {
      return sendError(response, 400, 'invalid_client_metadata', 'The response type has to be code.');
    }
    // A client of the editor names pages of the web, too; it is told what was kept (RFC 7591 section 3.2.1).
    const kept = [...new Set(uris.slice(0, REDIRECTS_AT_MOST))].filter((uri) => isAllowedRedirect(uri));
    if (kept.length === 0) {
      const rule = 'A redirect URI has to be http to a loopback address, or of a scheme of a known editor.';
      return sendError(response, 400, 'invalid_redirect_uri', rule);
    }
    if (!rate.take()) {
      return sendError(response, 429, 'temporarily_unavailable', 'Too many registrations; try again in a minute.', {
        'retry-after': '60',
      });
    }
    const name = plainText(claimedName, LONGEST_NAME);
    const client = await grants.addClient(name, kept);
    if (client === undefined) {
      return sendError(response, 503, 'temporarily_unavailable', 'Too many clients are registered and in use.');
    }
    sendJson(response, 201, {
      client_id: client.id,
      client_id_issued_at: Math.floor(client.createdAt / 1000),
      ...(name !== undefined && { client_name: name }),
      redirect_uris: kept,
      grant_types: GRANT_TYPES,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: scopes.supported.join(' '),
    });
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
