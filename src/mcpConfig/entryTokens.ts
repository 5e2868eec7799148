import type { ConfigProperty, ConfiguredServer } from './configServers.ts';
import { bridgeArguments, entryUrl } from './entryUrl.ts';
import { parseJson, propertiesOf } from './jsonDocument.ts';
import { applyEdits } from './textEdits.ts';
import { hasReference, referencedNames } from './variableReferences.ts';

/** A secret that is written out in an entry. */
export interface EntryToken {
  /** The secret, without the scheme of an Authorization header. It is never shown or logged. */
  readonly token: string;
  /** What holds it, perhaps among other things. */
  readonly property: ConfigProperty;
  /**
   * - `authorization`: an Authorization header, wherever it is said.
   * - `header`: another header whose name tells that it proves something.
   * - `query`: a parameter of the URL.
   * - `user_information`: the part of the URL before `@`.
   * - `client_secret`: what an OAuth client proves itself with (RFC 6749 section 2.3.1), not a token.
   * - `variable_name`: where the name of an environment variable should be (Codex).
   */
  readonly place: 'authorization' | 'header' | 'query' | 'user_information' | 'client_secret' | 'variable_name';
  /** Of the header or the parameter. */
  readonly name: string;
  /**
   * Whether it can be sent as a bearer token (RFC 6750 section 2.1) in place of what the file says. The gateway lets
   * other headers of a client through, so they work there as they are.
   */
  readonly canMove: boolean;
}

/** Where the headers of a server are: `http_headers` in Codex, `requestInit` in what the SDK takes. */
const HEADER_KEYS = new Set(['headers', 'http_headers', 'requestInit.headers']);

/** Where an entry has an OAuth client of its own: `auth` in Cursor. */
const CLIENT_KEYS = new Set(['oauth', 'auth']);

/** `clientSecret`, `client_secret`, `CLIENT_SECRET`. */
const CLIENT_SECRET = /^client_?secret$/i;

/** The same among the arguments of mcp-remote, as JSON in the next one. */
const CLIENT_ARGUMENT = '--static-oauth-client-info';

const SECRET_HEADER = /^(?:cookie|proxy-authorization)$|token|secret|password|(?:^|[-_])(?:api)?-?key$/i;
const SECRET_PARAMETER = /^(?:auth|authorization|key|pat|sig|signature)$|token|secret|password|api[-_]?key$|[-_]key$/i;

/** What examples have where a secret is to be. */
const PLACEHOLDER = /^(?:<.*>|\[.*\]|your[-_ ].*|x{3,}|\.{3}|…|\*+|•+|token|api[-_]?key|changeme|todo)$/i;

/** What stands for a secret that was cut out. */
const LEFT_OUT = '…';

/** Of this length a text is not in another one by chance. */
const LONG = 8;

/**
 * The secrets that are written out in an entry: not those that it names only (`${input:id}`, `${VAR}`), nor the
 * placeholders of examples. Those that can be moved to the keychain are the first ones.
 */
export function entryTokens(server: Pick<ConfiguredServer, 'properties'>): EntryToken[] {
  const { properties } = server;
  const tokens = [...properties.flatMap(inProperty), ...inBridge(properties), ...inUrl(server)];
  return [...tokens.filter(({ canMove }) => canMove), ...tokens.filter(({ canMove }) => !canMove)];
}

/**
 * Whether a server surely takes it in a header as well: of `access_token` RFC 6750 section 2.3 says so, of any other
 * parameter of the URL nobody knows before it is tried.
 */
export function isSurelyBearer({ canMove, place, name }: EntryToken): boolean {
  return canMove && (place !== 'query' || name === 'access_token');
}

/**
 * A server's URL without what is secret in it: fit to be shown, and to be what a connection is known by. What is no URL
 * comes back as it is.
 */
export function urlWithoutTokens(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return text;
  const secret = [...url.searchParams.keys()].filter((name) => SECRET_PARAMETER.test(name));
  if (secret.length === 0 && url.username === '' && url.password === '') return text;
  for (const name of secret) url.searchParams.delete(name);
  url.username = '';
  url.password = '';
  return url.href;
}

/** A text without secrets that were found in it: `…` stands where each was written, and nowhere else. */
export function textWithout(text: string, tokens: readonly EntryToken[]): string {
  const ranges = new Map(tokens.map(({ property: { range } }) => [range.offset, range]));
  const edits = [...ranges.values()].map(({ offset, length }) => {
    const here = tokens.filter(({ property }) => property.range.offset === offset);
    const source = text.slice(offset, offset + length);
    return { offset, length, text: here.reduce(sourceWithout, source) };
  });
  return applyEdits(text, edits);
}

/** What is written at a property without a secret; nothing of it is left if one cannot tell how the secret is spelled. */
function sourceWithout(source: string, { token }: EntryToken): string {
  const forms = new Set([token, encodeURIComponent(token), JSON.stringify(token).slice(1, -1)]);
  const found = [...forms].filter((form) => source.includes(form));
  if (found.length === 0) return source.slice(0, 1) + LEFT_OUT + source.slice(-1);
  return found.reduce(cutForm, source);
}

function cutForm(source: string, form: string): string {
  const end = source.length - 1;
  // A header ends with it; the word “Bearer” may hold a short one, too.
  if (form.length < LONG && source.endsWith(form, end))
    return source.slice(0, end - form.length) + LEFT_OUT + source.slice(end);
  return source.replaceAll(form, LEFT_OUT);
}

function inProperty(property: ConfigProperty): EntryToken[] {
  const { path, value } = property;
  const name = path.at(-1);
  if (typeof value !== 'string' || typeof name !== 'string') return [];
  if (HEADER_KEYS.has(path.slice(0, -1).join('.'))) return inHeader(property, name, value);
  if (path.length === 2 && CLIENT_KEYS.has(String(path[0])) && CLIENT_SECRET.test(name)) {
    return literal(property, value, 'client_secret', name, false);
  }
  if (path.length !== 1) return [];
  if (name === 'bearer_token') return literal(property, value, 'authorization', 'Authorization', true);
  if (name === 'bearer_token_env_var' && !isVariableName(value)) {
    return literal(property, value, 'variable_name', 'Authorization', true);
  }
  return [];
}

function inHeader(property: ConfigProperty, name: string, value: string): EntryToken[] {
  if (name.toLowerCase() !== 'authorization') {
    return SECRET_HEADER.test(name) ? literal(property, value, 'header', name, false) : [];
  }
  const [, scheme, credentials = value] = /^\s*([\w-]+)[ \t]+(.*)$/s.exec(value) ?? [];
  return literal(property, credentials, 'authorization', name, scheme?.toLowerCase() === 'bearer');
}

/** What mcp-remote is given: `--header NAME:VALUE`, where the value may name one of the `env` of the same entry. */
function inBridge(properties: readonly ConfigProperty[]): EntryToken[] {
  const args = bridgeArguments(properties);
  return args.flatMap((property, index) => {
    const header = headerArgument(args, index);
    if (header === undefined) {
      return args[index - 1]?.value === CLIENT_ARGUMENT ? inClientArgument(property) : [];
    }
    const names = referencedNames(header.value);
    const [variable, ...others] = properties.filter(
      ({ path: [top, name], value }) =>
        top === 'env' && typeof name === 'string' && typeof value === 'string' && names.includes(name),
    );
    if (variable === undefined || others.length > 0) return inHeader(property, header.name, header.value);
    const told = header.value.replace(/\$\{[^}]*\}/, () => String(variable.value));
    return inHeader(variable, header.name, told);
  });
}

/** The secret in the JSON of a client that mcp-remote is given. A file that is named instead (`@…`) is not looked into. */
function inClientArgument(property: ConfigProperty): EntryToken[] {
  const { root } = parseJson(String(property.value), 'json');
  return (root === undefined ? [] : propertiesOf(root)).flatMap(({ path: [name, ...deeper], value }) =>
    typeof name === 'string' && deeper.length === 0 && typeof value === 'string' && CLIENT_SECRET.test(name)
      ? literal(property, value, 'client_secret', name, false)
      : [],
  );
}

/** The header that the argument at `index` says, if the one before it says that it is one. */
export function headerArgument(
  args: readonly ConfigProperty[],
  index: number,
): { readonly name: string; readonly value: string } | undefined {
  const value = args[index]?.value;
  if (args[index - 1]?.value !== '--header' || typeof value !== 'string') return undefined;
  const colon = value.indexOf(':');
  return colon === -1 ? undefined : { name: value.slice(0, colon).trim(), value: value.slice(colon + 1).trim() };
}

function inUrl(server: Pick<ConfiguredServer, 'properties'>): EntryToken[] {
  const { property, url: text } = entryUrl(server) ?? {};
  if (property === undefined || text === undefined || !URL.canParse(text)) return [];
  const url = new URL(text);
  const inQuery = [...url.searchParams].flatMap(([name, value]) =>
    SECRET_PARAMETER.test(name) ? literal(property, value, 'query', name, true) : [],
  );
  const information = decoded(url.password === '' ? url.username : url.password);
  return [...inQuery, ...literal(property, information, 'user_information', url.host, false)];
}

function literal(
  property: ConfigProperty,
  value: string,
  place: EntryToken['place'],
  name: string,
  canMove: boolean,
): EntryToken[] {
  const token = value.trim();
  if (token === '' || hasReference(token) || PLACEHOLDER.test(token)) return [];
  // White space or another control character in it is no token (RFC 6750 section 2.1).
  return [{ token, property, place, name, canMove: canMove && /^[\x21-\x7E]+$/.test(token) }];
}

/** Tokens are long, or have what no name of a variable has: `github_pat_…`, `sk-…`. */
function isVariableName(text: string): boolean {
  return /^[A-Z_][A-Z0-9_]*$/.test(text) || (/^[A-Za-z_]\w*$/.test(text) && text.length < 20);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
