/**
 * A set of OAuth scopes in first-seen order, without duplicates (P22). Scopes are compared
 * as RFC 6749 section 3.3 has it: case-sensitive strings.
 */
export type ScopeSet = readonly string[];

/** RFC 6749 section 3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`. */
const SCOPE_TOKEN = /^[\u0021\u0023-\u005B\u005D-\u007E]+$/;

/** Whether `text` could be one scope of a request (RFC 6749 section 3.3). */
export function isScopeToken(text: string): boolean {
  return SCOPE_TOKEN.test(text);
}

/**
 * Reads scopes from what a server or a person wrote: a space-delimited string, an array of such
 * strings (seed 001), null or nothing. What cannot be a scope is left out.
 */
export function parseScopes(value: unknown): ScopeSet {
  const texts = Array.isArray(value) ? value : [value];
  return union(texts.flatMap((text) => (typeof text === 'string' ? text.split(/\s+/).filter(isScopeToken) : [])));
}

/**
 * Reads the `scope` of a token response. Some servers (GitHub) delimit by commas, which RFC 6749
 * allows inside a scope: commas are taken for delimiters only if that yields more of what was asked for.
 */
export function parseGrantedScopes(value: unknown, requested: ScopeSet): ScopeSet {
  const scopes = parseScopes(value);
  const split = parseScopes(scopes.flatMap((scope) => scope.split(',')));
  return intersection(split, requested).length > intersection(scopes, requested).length ? split : scopes;
}

/** The `scope` parameter of a request (RFC 6749 section 3.3); undefined for none, which leaves it out. */
export function formatScopes(scopes: ScopeSet): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(' ');
}

/** All scopes of all sets, in first-seen order, each once (P22). */
export function union(...sets: readonly ScopeSet[]): ScopeSet {
  return [...new Set(sets.flat())];
}

/** The scopes of `scopes` that are in `others` too. */
export function intersection(scopes: ScopeSet, others: ScopeSet): ScopeSet {
  return scopes.filter((scope) => others.includes(scope));
}

/** The scopes of `scopes` that are not in `others`. */
export function difference(scopes: ScopeSet, others: ScopeSet): ScopeSet {
  return scopes.filter((scope) => !others.includes(scope));
}

/** Whether both hold the same scopes, in whatever order. */
export function sameScopes(a: ScopeSet, b: ScopeSet): boolean {
  return difference(a, b).length === 0 && difference(b, a).length === 0;
}
