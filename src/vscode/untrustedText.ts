import { plainText } from '../oauth/errors.ts';

const LONGEST_QUOTE = 120;
/** A longer one would push the rest of a notification out of sight. */
const LONGEST_URL = 100;
/** Room for a long list of scopes. */
const LONGEST_CELL = 2000;

/**
 * Makes a text that a server or a person chose fit for a notification. Those turn `[label](command:…)`
 * into a link that runs a command and `$(name)` into an icon, and know no escape: so square brackets
 * become round ones, and `$(` is set apart.
 */
export function withoutLinks(text: string): string {
  return text.replaceAll('[', '(').replaceAll(']', ')').replaceAll('$(', '$ (');
}

/** A text from a server as a short quotation, or undefined when it said nothing. */
export function quoted(text: string | undefined): string | undefined {
  const plain = plainText(text);
  if (plain === undefined) return undefined;
  const short = plain.length > LONGEST_QUOTE ? `${plain.slice(0, LONGEST_QUOTE - 1)}…` : plain;
  return `“${withoutLinks(short)}”`;
}

/** What of a URL a person needs to recognise it: host and path; never user info, query or fragment. */
export function shortUrl(url: string): string {
  if (!URL.canParse(url)) return withoutLinks(plainText(url, LONGEST_URL) ?? '');
  const { host, pathname } = new URL(url);
  return withoutLinks(plainText(pathname === '/' ? host : host + pathname, LONGEST_URL) ?? '');
}

/** The end of a path, which is enough to know a file by; a long path does not fit into the view. */
export function shortPath(path: string): string {
  return withoutLinks(path.split(/[\\/]/).slice(-2).join('/'));
}

/** A URL in full but for its query, which may hold what is nobody's business. */
export function displayUrl(url: string): string {
  if (!URL.canParse(url)) return shortUrl(url);
  const { origin, pathname, search } = new URL(url);
  return origin + (pathname === '/' ? '' : pathname) + (search === '' ? '' : '?…');
}

/**
 * Escapes a text so that Markdown shows it as it is, also inside a table cell. `$(` is set apart,
 * since theme icons are looked for after the escapes are undone.
 */
export function markdownText(text: string): string {
  return (plainText(text, LONGEST_CELL) ?? '')
    .replaceAll('$(', '$ (')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]()#+\-.!|~$:@/]/g, String.raw`\$&`);
}
