/** Parameters of requests to token endpoints that are no secret; what any other one holds is. */
const PUBLIC_PARAMETERS = new Set([
  'audience',
  'client_assertion_type',
  'client_id',
  'grant_type',
  'redirect_uri',
  'requested_token_type',
  'resource',
  'scope',
  'subject_token_type',
  'token_type_hint',
]);

/** What a request says that must not be told (P36): tokens, codes, assertions and secrets, in each way of writing them. */
export function secretsSent(form: URLSearchParams, headers: Readonly<Record<string, string>>): readonly string[] {
  const parameters = [...form].flatMap(([name, value]) => (PUBLIC_PARAMETERS.has(name) ? [] : [value]));
  const values = [...parameters, ...credentialsOf(headers['authorization']), headers['dpop'] ?? ''];
  const written = values.flatMap((value) => [value, encodeURIComponent(value), formEncode(value)]);
  // The longer first: one may be a part of another.
  return [...new Set(written)].filter((value) => value !== '').toSorted((a, b) => b.length - a.length);
}

/** What a server says, without what it repeats of the request. */
export function withoutSecrets(text: string | undefined, secrets: readonly string[]): string | undefined {
  return secrets.reduce<string | undefined>((rest, secret) => rest?.replaceAll(secret, '…'), text);
}

/** `application/x-www-form-urlencoded` of one value. */
export function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1);
}

/** The credentials of a header, and the secret in those of HTTP Basic. */
function credentialsOf(authorization = ''): readonly string[] {
  const [, credentials = ''] = authorization.split(' ');
  if (!authorization.startsWith('Basic ')) return [credentials];
  const secret = atob(credentials).split(':').slice(1).join(':');
  return [credentials, secret, decodeURIComponent(secret.replaceAll('+', ' '))];
}
