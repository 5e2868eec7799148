import type { BearerChallenge } from '../oauth/challenge.ts';
import type { Grant } from './connection.ts';
import { missingScopes } from './grant.ts';

/** What an MCP server answered to a request that carried the connection's token. */
export interface ServerChallenge {
  readonly status: 401 | 403;
  /** The `WWW-Authenticate` header, all of them joined by `, `. */
  readonly wwwAuthenticate: string | null;
  /** The token that was sent with the request; undefined when there was none. */
  readonly token: string | undefined;
  /** The `DPoP-Nonce` header, if there was one (RFC 9449 section 9). */
  readonly dpopNonce?: string | undefined;
  /** How often this very request had been sent again before; so that it is not sent for ever. */
  readonly attempt?: number | undefined;
  /** What the request was for, e.g. `tools/call add_note`; a step-up is tried once for each (P25). */
  readonly operation: string;
}

/** What was done about the same challenge before, and for which generation of the grant. */
export interface EarlierAnswer {
  readonly action: 'refresh' | 'authorize';
  readonly generation: number;
}

/** What was done about the challenges to one operation that followed one another, without success in between. */
export interface Episode {
  /** Of the grant at the last challenge. */
  readonly generation: number;
  /** By challenge: its status and scopes. */
  readonly actions: ReadonlyMap<string, EarlierAnswer['action']>;
}

/** A server that answers one operation with more different challenges than these in an episode is stopped (P25). */
const MOST_CHALLENGES = 5;

/** A token that is refused this soon after it was given is no better than the one before. */
const EPISODE_MS = 60_000;

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
 * @param now milliseconds since the epoch.
 */
export function decideChallenge(
  status: ServerChallenge['status'],
  challenge: BearerChallenge | undefined,
  grant: Grant | undefined,
  earlier: EarlierAnswer | undefined,
  now: number,
): ChallengeDecision {
  if (status === 403 && challenge?.error !== 'insufficient_scope') return 'pass';
  if (grant === undefined) return earlier === undefined ? 'authorize' : 'stop';
  const wasTried = isSameEpisode(grant, earlier, now);
  if (wasTried && earlier?.action === 'authorize') return 'stop';
  // An `invalid_token` is about the token first, whatever scopes it lists.
  const isAboutScopes =
    challenge?.error !== 'invalid_token' && missingScopes(challenge?.scopes ?? [], grant.granted).length > 0;
  if (isAboutScopes) return 'authorize';
  return grant.refreshable && !wasTried ? 'refresh' : 'authorize';
}

/** The episode, as far as it goes on: undefined when something has changed since, and the next challenge is a first. */
export function ongoingEpisode(
  episode: Episode | undefined,
  grant: Grant | undefined,
  now: number,
): Episode | undefined {
  return grant === undefined || isSameEpisode(grant, episode, now) ? episode : undefined;
}

/** Whether this challenge is one too many: a server may demand other scopes each time, and do so for ever. */
export function isOneTooMany(episode: Episode | undefined, challenge: string): boolean {
  return episode !== undefined && episode.actions.size >= MOST_CHALLENGES && !episode.actions.has(challenge);
}

/**
 * Whether the earlier answer still counts: the person has said no and the grant is the same, or the grant
 * that it led to is so new that the server refuses it from the start.
 */
function isSameEpisode(grant: Grant, earlier: { readonly generation: number } | undefined, now: number): boolean {
  if (earlier === undefined) return false;
  if (grant.generation <= earlier.generation) return true;
  const age = now - (grant.refreshedAt ?? grant.issuedAt);
  return grant.generation === earlier.generation + 1 && age < EPISODE_MS;
}
