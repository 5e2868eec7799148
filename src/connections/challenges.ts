import { findBearerChallenge } from '../oauth/challenge.ts';
import { difference, union } from '../oauth/scopeSet.ts';
import { decideChallenge, type EarlierAnswer, type ServerChallenge } from './challengePolicy.ts';
import type { ConnectionId } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import type { ChallengeOutcome } from './connectionService.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { missingScopes } from './grant.ts';
import type { Renewals } from './renewals.ts';

export interface ChallengesParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly renewals: Renewals;
}

/** Answers what servers say of our tokens: bounded, so that one that challenges for ever is stopped (P25). */
export class Challenges {
  readonly #parts: ChallengesParts;
  readonly #answered = new Map<ConnectionId, Map<string, EarlierAnswer>>();

  constructor(parts: ChallengesParts) {
    this.#parts = parts;
  }

  /** Keeps what the challenge demands (P2, P22), and does what can be done without the person. */
  async answer(id: ConnectionId, { status, wwwAuthenticate, operation }: ServerChallenge): Promise<ChallengeOutcome> {
    const { records, renewals, states } = this.#parts;
    const challenge = findBearerChallenge(wwwAuthenticate);
    const grant = states.grant(id);
    const key = JSON.stringify([status, operation, (challenge?.scopes ?? []).toSorted()]);
    const decision = decideChallenge(status, challenge, grant, this.#answered.get(id)?.get(key));
    if (decision === 'pass') return { type: 'pass' };
    if (decision === 'stop') return { type: 'stop' };

    records.update(id, (connection) => ({
      ...connection,
      challenged: union(difference(connection.challenged, grant?.granted ?? []), challenge?.scopes ?? []),
      ...(challenge?.resourceMetadataUrl !== undefined && { resourceMetadataUrl: challenge.resourceMetadataUrl }),
    }));
    this.#remember(id, key, { action: decision, generation: grant?.generation ?? 0 });
    if (decision === 'refresh') {
      await renewals.refresh(id);
      return { type: 'retry' };
    }
    const missing = grant === undefined ? [] : missingScopes(challenge?.scopes ?? [], grant.granted);
    if (grant === undefined || missing.length === 0) states.needSignIn(id, 'token_rejected');
    else states.needConsent(id, grant, missing);
    return { type: 'authorize', scopes: challenge?.scopes ?? [] };
  }

  /** Forgets what is known of a connection that is gone. */
  forget(id: ConnectionId): void {
    this.#answered.delete(id);
  }

  #remember(id: ConnectionId, key: string, answer: EarlierAnswer): void {
    const answers = this.#answered.get(id) ?? new Map<string, EarlierAnswer>();
    this.#answered.set(id, answers.set(key, answer));
  }
}
