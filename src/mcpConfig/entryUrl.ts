import type { ConfigProperty, ConfiguredServer } from './configServers.ts';
import { hasReference } from './variableReferences.ts';

/** Where an entry leads. */
export interface EntryUrl {
  /** As it is written; it may hold a token, so it is shown by `urlWithoutTokens` only. */
  readonly url: string;
  /** What says it. */
  readonly property: ConfigProperty;
  /** Whether the client starts mcp-remote, which goes there on its behalf. */
  readonly isBridged: boolean;
  /** Whether the client puts values into it, so that nobody else knows it. */
  readonly hasReference: boolean;
}

/** What clients call a server's URL; the first one counts. Gemini CLI takes `httpUrl` before `url`. */
const URL_KEYS = ['httpUrl', 'serverUrl', 'url'];

/** The package, also of one version, or its file somewhere on the disk. */
const BRIDGE = /(?:^|[\\/])mcp-remote(?:@[^\\/]+|\.cmd)?(?:[\\/]dist[\\/]proxy\.js)?$/;

/**
 * The URL that an entry leads to, whatever its client calls it; also behind the bridge mcp-remote (`npx mcp-remote URL`).
 * Undefined for a server that the client starts. Whether it is a right URL is not looked at.
 */
export function entryUrl({ properties }: Pick<ConfiguredServer, 'properties'>): EntryUrl | undefined {
  for (const key of URL_KEYS) {
    const property = properties.find(({ path }) => path.length === 1 && path[0] === key);
    if (typeof property?.value === 'string') return found(property, property.value, false);
  }
  const bridged = bridgeArguments(properties).find(({ value }) => isUrl(value));
  return typeof bridged?.value === 'string' ? found(bridged, bridged.value, true) : undefined;
}

/** The arguments that mcp-remote gets from an entry, in their order; none if the entry starts something else. */
export function bridgeArguments(properties: readonly ConfigProperty[]): readonly ConfigProperty[] {
  // Zed had the arguments below `command` once.
  const args = properties.filter(({ path }) => path.at(-2) === 'args' && (path.length === 2 || path[0] === 'command'));
  const at = args.findIndex(({ value }) => isBridge(value));
  if (at !== -1) return args.slice(at + 1);
  const command = properties.find(({ path }) => path.join('.') === 'command' || path.join('.') === 'command.path');
  return isBridge(command?.value) ? args : [];
}

function isBridge(value: unknown): boolean {
  return typeof value === 'string' && BRIDGE.test(value);
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//i.test(value);
}

function found(property: ConfigProperty, url: string, isBridged: boolean): EntryUrl {
  return { url, property, isBridged, hasReference: hasReference(url) };
}
