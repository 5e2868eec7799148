import { findBearerChallenge } from '../oauth/challenge.ts';
import { difference, type ScopeSet, union } from '../oauth/scopeSet.ts';
import {
  decideChallenge,
  demandedScopes,
  type EarlierAnswer,
  type Episode,
  isOneTooMany,
  ongoingEpisode,
  type ServerChallenge,
} from './challengePolicy.ts';
import type { ConnectionId, Grant } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import type { AuthorizationOutcome } from './connectionService.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { unattendedGrant } from './flows/unattended.ts';
import { missingScopes } from './grant.ts';
import { NonceDemands } from './nonceDemands.ts';
import type { DpopNonces } from '../oauth/dpop.ts';
import type { Clock } from './ports.ts';
import type { Renewals } from './renewals.ts';
import { plainCause } from './scopeDemand.ts';
import { withDeclined } from './scopesToRequest.ts';
import type { SecretKeeper } from './secretKeeper.ts';
import type { ChallengeOutcome } from './tokenService.ts';

export interface ChallengesParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly renewals: Renewals;
  /** Signs in again with what is stored alone. Rejects where that is not enough. */
  readonly authorizeUnattended: (id: ConnectionId) => Promise<AuthorizationOutcome>;
  readonly secrets: SecretKeeper;
  readonly nonces: DpopNonces;
  readonly clock: Clock;
}

/** Answers what servers say of our tokens: bounded, so that one that challenges for ever is stopped (P25). */
export class Challenges {
  readonly #parts: ChallengesParts;
  /** By operation. */
  readonly #episodes = new Map<ConnectionId, Map<string, Episode>>();
  /** Those that are running: whether they led to another token. */
  readonly #stepUps = new Map<ConnectionId, Promise<boolean>>();
  /** Scopes that were asked for, by operation and challenge, for as long as they are not granted. */
  readonly #asked = new Map<ConnectionId, Map<string, ScopeSet>>();
  readonly #nonceDemands: NonceDemands;

  constructor(parts: ChallengesParts) {
    this.#parts = parts;
    this.#nonceDemands = new NonceDemands(parts);
  }

  /** Keeps what the challenge demands (P2, P22), and does what can be done without the person. */
  async answer(id: ConnectionId, refused: ServerChallenge): Promise<ChallengeOutcome> {
    const { clock, records, renewals, states } = this.#parts;
    if (await this.#isOutdated(id, refused.token)) return { type: 'retry' };
    const challenge = findBearerChallenge(refused.wwwAuthenticate);
    if (challenge?.error === 'use_dpop_nonce') {
      return this.#nonceDemands.answer(id, records.get(id).connection.serverUrl, refused);
    }
    const stepUp = this.#stepUps.get(id);
    if (stepUp !== undefined && (await stepUp)) return { type: 'retry' };
    const scopes = challenge?.scopes ?? [];
    const grant = states.grant(id);
    const key = JSON.stringify([refused.status, scopes.toSorted()]);
    const episode = this.#ongoing(id, refused.operation, grant);
    const action = episode?.actions.get(key);
    const earlier = episode && action && { ...episode, action };
    const decision = decideChallenge(refused.status, challenge, grant, earlier, clock.now());
    if (decision === 'pass') return { type: 'pass' };
    // Nobody knows the scopes of a token that the person brought.
    const isOwnToken = records.get(id).connection.kind === 'static_token';
    const missing = grant === undefined || isOwnToken ? [] : demandedScopes(refused.status, challenge, grant, earlier);
    const question = `${refused.operation} ${key}`;
    // They were asked for, and not granted: asking at each call would be no better.
    const wasAsked = decision === 'authorize' && missing.length > 0 && this.#asked.get(id)?.has(question) === true;
    // A request without a token says nothing of ours.
    const isOurs = grant !== undefined && refused.token !== undefined;
    if (decision === 'stop' || wasAsked || isOneTooMany(episode, key)) {
      // There is no other one, and this one is of no use to any operation.
      if (isOwnToken && isOurs && refused.status === 401) states.needSignIn(id, 'token_rejected');
      return { type: 'stop' };
    }

    // What the person left out counts as demanded only where that is what the refusal was about (P23).
    const isDemand = missing.length > 0 || challenge?.error === 'insufficient_scope';
    records.update(id, ({ declined = [], ...connection }) => ({
      ...connection,
      ...withDeclined(isDemand ? difference(declined, scopes) : declined),
      challenged: union(
        difference(connection.challenged, grant?.granted ?? []),
        isDemand ? scopes : difference(scopes, declined),
      ),
      ...(challenge?.resourceMetadataUrl !== undefined && { resourceMetadataUrl: challenge.resourceMetadataUrl }),
    }));
    if (decision === 'refresh') {
      // A token that ended on time, or may have, says nothing against how it was had.
      const isDoubted = refused.status === 403 || (grant?.expiresAt ?? 0) > clock.now();
      await renewals.refreshForRequest(id, isDoubted);
      // Only now: a refresh that failed for want of a network has not been tried.
      this.#remember(id, refused.operation, grant, key, 'refresh');
      return { type: 'retry' };
    }
    const isAboutScopes = refused.status === 403 || missing.length > 0;
    const isUnattended = isOurs && isAboutScopes && unattendedGrant(records.get(id).connection.kind) !== undefined;
    if (isUnattended) renewals.failWhileWaiting(id);
    this.#remember(id, refused.operation, grant, key, 'authorize');
    if (missing.length > 0) this.#asked.set(id, new Map(this.#asked.get(id)).set(question, missing));
    if (isUnattended && (await this.#stepUp(id))) return { type: 'retry' };
    if (isOurs) this.#needPerson(id, isAboutScopes, missing.length > 0 ? missing : scopes, refused);
    return { type: 'authorize', scopes };
  }

  /** Says what the server demands of the person. */
  #needPerson(id: ConnectionId, isAboutScopes: boolean, scopes: ScopeSet, refused: ServerChallenge): void {
    const { clock, states } = this.#parts;
    const grant = states.grant(id);
    // Signed out meanwhile.
    if (grant === undefined) return;
    if (isAboutScopes) states.needConsent(id, grant, { at: clock.now(), scopes, ...plainCause(refused) });
    else states.needSignIn(id, 'token_rejected');
  }

  /** Asks anew for all that is demanded, where no person is needed for that. Gives whether there is another token. */
  async #stepUp(id: ConnectionId): Promise<boolean> {
    const stepUp = this.#parts
      .authorizeUnattended(id)
      .then(({ type }) => type === 'authorized')
      // Why is in the connection's last error, its activity and the log.
      .catch(() => false)
      .finally(() => this.#stepUps.delete(id));
    this.#stepUps.set(id, stepUp);
    return stepUp;
  }

  /** Whether the token that was refused is no longer the one in use, after a refresh that was running (P29). */
  async #isOutdated(id: ConnectionId, token: string | undefined): Promise<boolean> {
    const { records, renewals, secrets, states } = this.#parts;
    await Promise.allSettled([renewals.running(id), this.#stepUps.get(id)]);
    if (token === undefined || states.grant(id) === undefined) return false;
    const secret = await secrets.current(id, records.get(id).connection.serverUrl);
    return secret?.tokens !== undefined && secret.tokens.accessToken !== token;
  }

  /**
   * Notes that there is a new grant: scopes that it has may be asked for again, should they get lost. What was
   * answered by asking the person has led to it.
   */
  noteAuthorized(id: ConnectionId): void {
    const { granted = [], generation: ledTo } = this.#parts.states.grant(id) ?? {};
    const episodes = [...(this.#episodes.get(id) ?? [])];
    this.#episodes.set(id, new Map(episodes.map(([operation, episode]) => [operation, { ledTo, ...episode }])));
    const open = [...(this.#asked.get(id) ?? [])].filter(([, scopes]) => missingScopes(scopes, granted).length > 0);
    this.#asked.set(id, new Map(open));
  }

  /** Forgets what is known of a connection that is gone. */
  forget(id: ConnectionId): void {
    this.#asked.delete(id);
    this.#episodes.delete(id);
    this.#nonceDemands.forget(id);
  }

  #ongoing(id: ConnectionId, operation: string, grant: Grant | undefined): Episode | undefined {
    return ongoingEpisode(this.#episodes.get(id)?.get(operation), grant, this.#parts.clock.now());
  }

  #remember(
    id: ConnectionId,
    operation: string,
    grant: Grant | undefined,
    key: string,
    action: EarlierAnswer['action'],
  ): void {
    const actions = new Map(this.#ongoing(id, operation, grant)?.actions).set(key, action);
    const episodes = this.#episodes.get(id) ?? new Map<string, Episode>();
    const ledTo = action === 'refresh' ? this.#parts.states.grant(id)?.generation : undefined;
    const answered = { generation: grant?.generation ?? 0, ...(ledTo !== undefined && { ledTo }) };
    this.#episodes.set(id, episodes.set(operation, { ...answered, actions }));
  }
}
