import {
  changeServer,
  type ConfigEdit,
  type ConfigFormat,
  type ConfigProperty,
  type ConfiguredServer,
  readServers,
} from './configServers.ts';
import type { EntryChange } from './entryChange.ts';
import { type EntryToken, headerArgument } from './entryTokens.ts';
import { bridgeArguments, type EntryUrl, entryUrl } from './entryUrl.ts';
import { isRecord } from './sameData.ts';
import { referencedNames } from './variableReferences.ts';

/**
 * What says how a client signs in at the server itself, and so does not hold at the gateway: `oauth` (VS Code, Claude
 * Code, Gemini CLI), `auth` (Cursor), `headersHelper` (Claude Code), the bearer tokens, `scopes` and `oauth_resource` of
 * Codex, and Gemini CLI's other ways.
 */
const SIGN_IN_KEYS = [
  'oauth',
  'auth',
  'headersHelper',
  'bearer_token',
  'bearer_token_env_var',
  'scopes',
  'oauth_resource',
  'authProviderType',
  'targetAudience',
  'targetServiceAccount',
];

/** The same among the arguments of mcp-remote; each is followed by its value. */
const SIGN_IN_ARGUMENTS = new Set(['--static-oauth-client-info', '--static-oauth-client-metadata', '--resource']);

const HEADER_PATHS = [['headers'], ['http_headers'], ['env_http_headers'], ['requestInit', 'headers']];

/** Headers of the client that the gateway does not pass on: it takes the first one for its own. */
const SIGN_IN_HEADER = /^(?:authorization|proxy-authorization|cookie)$/i;

/**
 * Leads an entry to another URL, and takes out of it what proved the client at the old one, tokens included. All else
 * stays as it is, comments and layout too. `missing` when there is no such entry, or none that leads to a URL.
 * @param url of the gateway for this connection
 */
export function routeServer(text: string, client: ConfigFormat, name: string, url: string): ConfigEdit {
  const { servers, problems } = readServers(text, client);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const server = servers.find((one) => one.name === name);
  const place = server === undefined ? undefined : entryUrl(server);
  if (server === undefined || place === undefined) return { type: 'missing' };
  return changeServer(text, client, name, routeChanges(server, place, url));
}

/** Whether a secret goes out of its entry by {@link routeServer}: other headers pass the gateway, and stay. */
export function leavesWhenRouted({ place, name }: EntryToken): boolean {
  return place !== 'header' || SIGN_IN_HEADER.test(name);
}

/** The secrets that are lost when an entry is routed, of which only `kept` is stored elsewhere. */
export function lostByRouting(tokens: readonly EntryToken[], kept: string | undefined): EntryToken[] {
  return tokens.filter((one) => leavesWhenRouted(one) && one.token !== kept);
}

function routeChanges(server: ConfiguredServer, place: EntryUrl, url: string): EntryChange[] {
  const entry = isRecord(server.entry) ? server.entry : {};
  return [
    { path: place.property.path, value: url },
    ...SIGN_IN_KEYS.filter((key) => Object.hasOwn(entry, key)).map((key) => ({ path: [key] })),
    ...HEADER_PATHS.flatMap((path) => goneOf(entry, path, (header) => SIGN_IN_HEADER.test(header))),
    ...(place.isBridged ? bridgeChanges(server, entry) : []),
  ];
}

function bridgeChanges({ properties }: ConfiguredServer, entry: unknown): EntryChange[] {
  const args = bridgeArguments(properties);
  const variables = new Set<string>();
  const gone = args.flatMap((argument, index): ConfigProperty[] => {
    const header = headerArgument(args, index);
    const option = args[index - 1];
    if (option === undefined) return [];
    if (header !== undefined && SIGN_IN_HEADER.test(header.name)) {
      for (const name of referencedNames(header.value)) variables.add(name);
      return [option, argument];
    }
    return SIGN_IN_ARGUMENTS.has(String(option.value)) ? [option, argument] : [];
  });
  const kept = args.filter((argument) => !gone.includes(argument));
  const isUsed = (name: string) => kept.some(({ value }) => referencedNames(String(value)).includes(name));
  return [
    // From the last one on, since those behind move up.
    ...gone.toReversed().map(({ path }) => ({ path })),
    ...goneOf(entry, ['env'], (name) => variables.has(name) && !isUsed(name)),
  ];
}

/** The members of the object at `path` that go; or the object, with what holds nothing else, when all do. */
function goneOf(entry: unknown, path: readonly string[], isGone: (name: string) => boolean): EntryChange[] {
  const object = path.reduce(memberOf, entry);
  const names = isRecord(object) ? Object.keys(object) : [];
  const gone = names.filter(isGone);
  if (gone.length === 0) return [];
  if (gone.length < names.length) return gone.map((name) => ({ path: [...path, name] }));
  let whole = path;
  while (whole.length > 1 && isAlone(whole.slice(0, -1).reduce(memberOf, entry))) whole = whole.slice(0, -1);
  return [{ path: whole }];
}

function memberOf(data: unknown, key: string): unknown {
  return isRecord(data) ? data[key] : undefined;
}

/** Whether the object has one member only. */
function isAlone(object: unknown): boolean {
  return isRecord(object) && Object.keys(object).length === 1;
}
