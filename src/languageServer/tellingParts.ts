import type { ConfigProperty } from '../mcpConfig/configServers.ts';
import { urlWithoutTokens } from '../mcpConfig/entryTokens.ts';

/** What tells apart two entries with one URL: another account, another client, other arguments. */
const TELLING = new Set([
  'headers',
  'http_headers',
  'env_http_headers',
  'headersHelper',
  'bearer_token',
  'bearer_token_env_var',
  'oauth',
  'auth',
  'scopes',
  'oauth_resource',
  'env',
  'args',
]);

/** The parts of an entry that make it another one than one with the same URL; two such texts are compared. */
export function tellingParts(
  { properties }: { readonly properties: readonly ConfigProperty[] },
  url: string | undefined,
): string {
  const telling = properties.filter(({ path: [top], value }) => TELLING.has(String(top)) && !isUrl(value));
  const hasToken = url !== undefined && urlWithoutTokens(url) !== url;
  if (telling.length === 0 && !hasToken) return '';
  return JSON.stringify([...telling.map(({ path, value }) => [path, value]), hasToken ? url : '']);
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:/i.test(value);
}
