/**
 * Schemes of which the operating system gives the links to one known program with MCP clients in it, rather than to
 * whatever web page or program was there first.
 */
const EDITOR_SCHEMES: ReadonlySet<string> = new Set([
  'vscode',
  'vscode-insiders',
  'vscodium',
  'code-oss',
  'cursor',
  'windsurf',
  'windsurf-next',
  'kiro',
  'trae',
  'antigravity',
  'zed',
  'jetbrains',
  'claude',
  'goose',
  'lmstudio',
  'raycast',
  'warp',
]);

/** What RFC 3986 allows after the authority, without a fragment (RFC 6749 section 3.1.2). */
const REST = String.raw`[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*`;
/** No user info, and nothing that one program reads as the host and another does not. */
const LOOPBACK = new RegExp(String.raw`^http://(127\.0\.0\.1|\[::1\]|localhost)(?::\d{1,5})?((?:[/?]${REST})?)$`, 'i');
const EDITOR = new RegExp(String.raw`^([a-z][a-z0-9+.-]*)://${REST}$`, 'i');
const LONGEST = 2000;

/**
 * Whether a code may be sent there (P44): http on this machine's loopback interface (RFC 8252 section 7.3), or a link
 * that a known program opens (section 7.1). A web page may not: it is not on this machine.
 */
export function isAllowedRedirect(uri: string): boolean {
  if (uri.length > LONGEST || !URL.canParse(uri)) return false;
  if (LOOPBACK.test(uri)) return true;
  const scheme = EDITOR.exec(uri)?.[1]?.toLowerCase();
  return scheme !== undefined && EDITOR_SCHEMES.has(scheme);
}

/**
 * Whether a client that registered the one may use the other: the same text, but for the port on the loopback
 * interface, which is chosen when the client starts (RFC 8252 section 7.3).
 */
export function isSameRedirect(registered: string, presented: string): boolean {
  if (!isAllowedRedirect(presented)) return false;
  if (registered === presented) return true;
  const place = withoutPort(registered);
  return place !== undefined && place === withoutPort(presented);
}

function withoutPort(uri: string): string | undefined {
  const parts = LOOPBACK.exec(uri);
  if (parts === null) return undefined;
  const [, host = '', rest = ''] = parts;
  return host.toLowerCase() + (rest.startsWith('/') ? rest : `/${rest}`);
}

/** The redirect URI with the answer in its query; what was in it stays (RFC 6749 section 4.1.2). */
export function redirectWith(uri: string, answer: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(answer)) if (value !== undefined) query.set(name, value);
  return `${uri}${uri.includes('?') ? '&' : '?'}${query.toString()}`;
}
