import { parseScopes, type ScopeSet } from './scopeSet.ts';

/** One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1). */
export interface Challenge {
  /** The scheme in lower case. */
  readonly scheme: string;
  /** The parameters by their name in lower case; the first of a repeated name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** What a server demands of a bearer token (RFC 6750 section 3, RFC 9728 section 5.1). */
export interface BearerChallenge {
  readonly scheme: 'bearer' | 'dpop';
  /** Whether the server takes DPoP-bound tokens: it has a challenge of that scheme too (RFC 9449 section 7.1). */
  readonly takesDpop: boolean;
  readonly error?: string;
  readonly errorDescription?: string;
  readonly scopes: ScopeSet;
  readonly resourceMetadataUrl?: string;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[0-9A-Za-z\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACES = /[ \t]*/y;
const DELIMITERS = /[ \t,]*/y;
const EQUALS = /[ \t]*=[ \t]*/y;

/** As much as Node takes of a response's headers together: a bound on the time that a hostile one can cost. */
const LONGEST_HEADER = 16 * 1024;

/**
 * Reads every challenge of a `WWW-Authenticate` value (several headers joined by commas are one value):
 * quoted commas, `token68` credentials and other schemes before the one that matters (P7).
 * Never throws: what cannot be read ends the reading, and the challenges before it are given.
 * So does the end of the first 16 KiB.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const reader = new Reader(header.slice(0, LONGEST_HEADER));
  const challenges: Challenge[] = [];
  let parameters: Map<string, string> | undefined;
  for (;;) {
    reader.take(DELIMITERS);
    const name = reader.take(TOKEN);
    if (name === undefined) return challenges;
    if (reader.take(EQUALS) !== undefined) {
      const value = reader.takeQuoted() ?? reader.take(TOKEN) ?? reader.take(TOKEN68);
      if (value === undefined) return challenges;
      const key = name.toLowerCase();
      if (parameters !== undefined && !parameters.has(key)) parameters.set(key, value);
      continue;
    }
    parameters = new Map();
    challenges.push({ scheme: name.toLowerCase(), parameters });
    reader.take(SPACES);
    // Credentials such as `Negotiate YII=`; a parameter's name is not taken, since `=` and a value follow it.
    reader.take(TOKEN68);
  }
}

/**
 * Gives what the Bearer and DPoP challenges of a `WWW-Authenticate` value say, if there is one. A server that takes
 * both has one of each (RFC 9449 section 7.2): the one with an error is about the request, and goes first; what it
 * leaves out is taken from the other.
 */
export function findBearerChallenge(header: string | null): BearerChallenge | undefined {
  const challenges = parseChallenges(header ?? '').flatMap(({ scheme, parameters }) =>
    scheme === 'bearer' || scheme === 'dpop' ? [{ scheme, parameters } as const] : [],
  );
  const ordered = [
    ...challenges.filter(({ parameters }) => parameters.has('error')),
    ...challenges.filter(({ parameters }) => !parameters.has('error')),
  ];
  const [first] = ordered;
  if (first === undefined) return undefined;
  const parameter = (name: string): string | undefined =>
    ordered.find(({ parameters }) => parameters.has(name))?.parameters.get(name);
  const error = parameter('error');
  const errorDescription = first.parameters.get('error_description');
  const resourceMetadataUrl = parameter('resource_metadata');
  return {
    scheme: first.scheme,
    takesDpop: challenges.some(({ scheme }) => scheme === 'dpop'),
    scopes: parseScopes(parameter('scope')),
    ...(error !== undefined && { error }),
    ...(errorDescription !== undefined && { errorDescription }),
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
  };
}

/** A place in a text, moved on by what is taken from there. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text that `pattern` (sticky) matches here, or its first group; undefined and no move otherwise. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[0];
  }

  takeQuoted(): string | undefined {
    return this.take(QUOTED)?.replaceAll(/\\(.)/g, '$1');
  }
}
