import { plainText, shortened } from '../oauth/errors.ts';

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
  return `“${withoutLinks(shortened(plain, LONGEST_QUOTE))}”`;
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

/** A part of a path that nobody would choose, with what hangs on it: some servers know a person by it. */
const RANDOM_SEGMENT = /(?<=\/)(?=[\w~-]*\d)(?=[\w~-]*[a-z])[\w~-]{16,}(?:[.%=+:][\w~-]+)*/gi;
/** The last part of a path that was cut off: what is left of it may be too short to be known as random. */
const CUT_SEGMENT = /(?<=\/)[\w.~%=+:-]+…/g;

/**
 * A text for others to read, without the parts of URLs that let in whoever knows them (`https://host/s/SECRET/mcp`).
 */
export function withoutRandomParts(text: string): string {
  return text.replaceAll(RANDOM_SEGMENT, '…').replaceAll(CUT_SEGMENT, '…');
}

/** Whether something in a URL looks like a secret, so that it must not leave this computer. */
export function hasRandomPart(url: string): boolean {
  return withoutRandomParts(url) !== url;
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
