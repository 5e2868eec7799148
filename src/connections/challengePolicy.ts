import type { BearerChallenge } from '../oauth/challenge.ts';
import type { Grant } from './connection.ts';
import { missingScopes } from './grant.ts';

/** What an MCP server answered to a request that carried the connection's token. */
export interface ServerChallenge {
  readonly status: 401 | 403;
  /** The `WWW-Authenticate` header, all of them joined by `, `. */
  readonly wwwAuthenticate: string | null;
  /** What the request was for, e.g. `tools/call add_note`; a step-up is tried once for each (P25). */
  readonly operation: string;
}

/** What was done about the same challenge before, and for which generation of the grant. */
export interface EarlierAnswer {
  readonly action: 'refresh' | 'authorize';
  readonly generation: number;
}

/**
 * What to do about a challenge:
 * `pass` it on, since it is not about the token; `refresh`; `authorize` anew, which asks the person;
 * or `stop`, since all of that was tried and changed nothing (P25).
 */
export type ChallengeDecision = 'pass' | 'refresh' | 'authorize' | 'stop';

/**
 * Sorts a challenge (P24): scopes that were not granted need the person; where the token should do, one
 * refresh comes first; a 403 that speaks of no scope is passed on, and logs nobody out.
 * @param earlier what was done about the same operation and scopes, if anything.
 */
export function decideChallenge(
  status: ServerChallenge['status'],
  challenge: BearerChallenge | undefined,
  grant: Grant | undefined,
  earlier: EarlierAnswer | undefined,
): ChallengeDecision {
  if (status === 403 && challenge?.error !== 'insufficient_scope') return 'pass';
  if (grant === undefined) return earlier === undefined ? 'authorize' : 'stop';
  // An answer counts while the grant is the one that it led to, or led to none.
  const isSameEpisode = earlier !== undefined && grant.generation <= earlier.generation + 1;
  if (isSameEpisode && earlier.action === 'authorize') return 'stop';
  if (missingScopes(challenge?.scopes ?? [], grant.granted).length > 0) return 'authorize';
  return grant.refreshable && !isSameEpisode ? 'refresh' : 'authorize';
}
