import { checkEndpoint } from './addressPolicy.ts';
import type { Client } from './client.ts';
import { OAuthError } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';

/**
 * Where a registration can be managed (RFC 7592 section 3), if its URI is on the origin of the issuer or of the
 * registration endpoint. The RFC lets it be anywhere, but a server must not be able to have us send a DELETE with a
 * token of its choice to somebody else.
 */
export function judgeManagement(
  uri: string | undefined,
  accessToken: string | undefined,
  { issuer, registration_endpoint: endpoint }: AuthorizationServerMetadata,
): Client['management'] {
  const origin = uri === undefined ? undefined : URL.parse(uri)?.origin;
  if (uri === undefined || accessToken === undefined || origin === undefined) return undefined;
  const isTheirs = [issuer, endpoint].some((url) => url !== undefined && new URL(url).origin === origin);
  return isTheirs ? { uri, accessToken } : undefined;
}

/**
 * Deletes a registration that is no longer used (RFC 7592 section 2.3, P12). One that the server does not know
 * (404), or no longer lets us manage (401), is gone. The token follows no redirect: `fetch` gives a redirect of a
 * DELETE as it is, and that is a refusal.
 * Gives false when the server offers no management. Throws `registration_refused`, `insecure_url`,
 * `address_refused`, and what `fetch` throws.
 */
export async function deleteRegistration(fetch: Fetch, client: Client, reach: Reach): Promise<boolean> {
  const { issuer, management } = client;
  if (management === undefined) return false;
  checkEndpoint(management.uri, 'registration_endpoint', reach);
  const { status } = await fetch(management.uri, {
    method: 'DELETE',
    headers: { accept: 'application/json', authorization: `Bearer ${management.accessToken}` },
    reach,
  });
  const isGone = (status >= 200 && status < 300) || status === 401 || status === 404;
  if (!isGone) throw new OAuthError('registration_refused', { issuer, status, error: 'not_deleted' });
  return true;
}
