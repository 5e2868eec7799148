import assert from 'node:assert/strict';
import type { ServerChallenge } from '../../src/connections/challengePolicy.ts';
import { Challenges } from '../../src/connections/challenges.ts';
import type { Connection, Grant } from '../../src/connections/connection.ts';
import type { AuthorizationOutcome } from '../../src/connections/connectionService.ts';
import type { ChallengeOutcome } from '../../src/connections/tokenService.ts';
import { DpopNonces } from '../../src/oauth/dpop.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import { someGrant } from './connectionParts.ts';
import { ISSUER, SERVER_URL } from './flowParts.ts';
import { issued, RenewalStand } from './renewalStand.ts';

/** What a server says of a token that lacks scopes. */
function lacking(scope: string): string {
  return `Bearer error="insufficient_scope", scope="${scope}"`;
}

/** Challenges to one connection, over real renewals at a token endpoint that answers as it is told. */
export class ChallengeStand {
  readonly endpoint = new RenewalStand();
  readonly parts = this.endpoint.parts;
  readonly renewals = this.endpoint.renewals;
  readonly nonces = new DpopNonces();
  readonly challenges: Challenges;
  /** How a sign-in without the person goes, and how often there was one. */
  stepUp: () => Promise<AuthorizationOutcome> = async () => assert.fail('not to be called');
  stepUps = 0;

  constructor() {
    const { nonces, parts, renewals } = this;
    const authorizeUnattended = async (): Promise<AuthorizationOutcome> => {
      this.stepUps += 1;
      return this.stepUp();
    };
    this.challenges = new Challenges({ ...parts, nonces, renewals, authorizeUnattended });
    this.setOffline(false);
  }

  /** Takes the token endpoint away, or brings it back: each answer of it is another token for an hour. */
  setOffline(isOffline: boolean): void {
    const unreachable = new OAuthError('server_unreachable', { url: ISSUER, failure: 'dns' });
    this.endpoint.answer = () => (isOffline ? unreachable : { ...this.endpoint.rotated(), expires_in: 3600 });
  }

  /** The scopes of the refresh requests. */
  get refreshed(): readonly (string | undefined)[] {
    return this.endpoint.forms.map((form) => form['scope']);
  }

  /** A connection that is in use; `brought` by a token that the person has from somewhere. */
  async connected(more: Partial<Connection> = {}, grant: Partial<Grant> = {}, brought = false): Promise<void> {
    const state = { type: 'ready', grant: someGrant(this.parts.clock, grant) } as const;
    await this.parts.add('c', { state, issuer: ISSUER, ...more });
    this.parts.place('c', { tokens: brought ? { accessToken: 'at-1' } : issued });
  }

  get connection(): Connection {
    return this.parts.records.get('c').connection;
  }

  /** Answers a challenge to a request that carried the token in use. */
  async answer(wwwAuthenticate: string | null, more: Partial<ServerChallenge> = {}): Promise<ChallengeOutcome> {
    const secret = await this.parts.secrets.current('c', SERVER_URL);
    const token = secret?.tokens?.accessToken;
    return this.challenges.answer('c', { status: 401, operation: 'call', token, wwwAuthenticate, ...more });
  }

  /** The same of a 403 that demands a scope. */
  async forbidden(scope: string, more: Partial<ServerChallenge> = {}): Promise<ChallengeOutcome> {
    return this.answer(lacking(scope), { status: 403, ...more });
  }

  /** Another grant, as a sign-in gives it. */
  async signedIn(granted: readonly string[]): Promise<void> {
    const { challenges, parts } = this;
    const generation = (parts.states.grant('c')?.generation ?? 0) + 1;
    const tokens = { ...issued, accessToken: `signed-in-${generation}` };
    await parts.secrets.keep('c', { version: 1, serverUrl: SERVER_URL, generation, tokens });
    parts.states.meetDemand('c');
    parts.states.set('c', { type: 'ready', grant: someGrant(parts.clock, { granted, generation }) });
    challenges.noteAuthorized('c');
  }
}
