/** What a slug may be: a segment of a path that needs no escape, in one case. */
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** Segments that the loopback server uses itself. */
const RESERVED = new Set(['callback', 'oauth', 'window']);

/**
 * The segment by which a connection is named in its URL at the gateway: of its name at first, and then for good, since
 * the configurations of other programs have that URL.
 * @param taken slugs of other connections
 */
export function newSlug(name: string, taken: ReadonlySet<string>): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 36)
    .replaceAll(/^-+|-+$/g, '');
  const base = plain === '' ? 'server' : plain;
  for (let number = 1; ; number += 1) {
    const slug = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(slug) && !RESERVED.has(slug)) return slug;
  }
}
