import type { ConfigProperty } from '../mcpConfig/configServers.ts';

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
export function tellingParts({ properties }: { readonly properties: readonly ConfigProperty[] }): string {
  const telling = properties.filter(({ path: [top], value }) => TELLING.has(String(top)) && !isUrl(value));
  return telling.length === 0 ? '' : JSON.stringify(telling.map(({ path, value }) => [path, value]));
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:/i.test(value);
}
