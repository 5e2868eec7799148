import type { BearerChallenge } from '../oauth/challenge.ts';
import type { ScopeSet } from '../oauth/scopeSet.ts';
import type { Grant } from './connection.ts';
import { missingScopes } from './grant.ts';
import type { LocalClient } from './scopeDemand.ts';

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
  /** Whose request it was; undefined for one of our own. */
  readonly client?: LocalClient | undefined;
}

/** Between which grants something was done about a challenge. Not each generation is a grant: some only store more. */
interface Answered {
  /** Of the grant that was challenged. */
  readonly generation: number;
  /** Of the grant that this led to, once there is one. */
  readonly ledTo?: number | undefined;
}

/** What was done about the same challenge before. */
export interface EarlierAnswer extends Answered {
  readonly action: 'refresh' | 'authorize';
}

/** What was done about the challenges to one operation that followed one another, without success in between. */
export interface Episode extends Answered {
  /** By challenge: its status and scopes. */
  readonly actions: ReadonlyMap<string, EarlierAnswer['action']>;
}

/** A server that answers one operation with more different challenges than these in an episode is stopped (P25). */
const MOST_CHALLENGES = 5;

/** A token that is refused this soon after it was given is no better than the one before. */
const EPISODE_MS = 60_000;

/**
 * What to do about a challenge:
 * `pass` it on, since it is not about the token; `refresh`; `authorize` anew, which asks the person if one is needed;
 * or `stop`, since all of that was tried and changed nothing (P25).
 */
export type ChallengeDecision = 'pass' | 'refresh' | 'authorize' | 'stop';

/**
 * Sorts a challenge (P24): scopes that were not granted need the person; where the token should do, or may merely
 * have ended, one refresh comes first; a 403 that speaks of no scope is passed on, and logs nobody out.
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
  if (demandedScopes(status, challenge, grant, earlier).length > 0) return 'authorize';
  return grant.refreshable && !wasTried ? 'refresh' : 'authorize';
}

/**
 * The scopes that were not granted, where a challenge is about them. A 401 is about the token first, since servers
 * name all their scopes in every one: unless it says otherwise, or the next token has not met it either (P24).
 * @param earlier of an episode that goes on.
 */
export function demandedScopes(
  status: ServerChallenge['status'],
  challenge: BearerChallenge | undefined,
  { granted }: Grant,
  earlier: EarlierAnswer | undefined,
): ScopeSet {
  const isAboutToken = status === 401 && challenge?.error !== 'insufficient_scope' && earlier?.action !== 'refresh';
  return isAboutToken ? [] : missingScopes(challenge?.scopes ?? [], granted);
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
function isSameEpisode(grant: Grant, earlier: Answered | undefined, now: number): boolean {
  if (earlier === undefined) return false;
  const { generation, ledTo = generation } = earlier;
  if (grant.generation <= generation) return true;
  const age = now - (grant.refreshedAt ?? grant.issuedAt);
  return grant.generation <= ledTo && age < EPISODE_MS;
}
