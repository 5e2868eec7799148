import { createHash, randomBytes } from 'node:crypto';
import type { ConnectionId } from '../../connections/connection.ts';
import { KeyedQueue } from '../../connections/keyedQueue.ts';
import type { Clock } from '../../connections/ports.ts';
import type { IssuedTokens, LocalGrants, NewGrant } from './localGrants.ts';
import { hashOf, isSameHash } from './tokens.ts';

/** How long a code is good. The client is waiting for it. */
const CODE_MS = 60_000;
/** How long it is known that a code was used. */
const USED_CODE_MS = 10 * 60_000;

/** What a code stands for. */
export interface CodeGrant extends NewGrant {
  readonly redirectUri: string;
  readonly challenge: string;
}

/** What a client sends with a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5). */
export interface Redemption {
  readonly code: string;
  readonly clientId: string;
  readonly verifier: string;
  /** OAuth 2.1 has none here; when there is one it has to be that of the authorization. */
  readonly redirectUri?: string;
  readonly isTarget: (connection: ConnectionId | undefined) => boolean;
}

export type RedemptionResult =
  | { readonly type: 'issued'; readonly tokens: IssuedTokens }
  | { readonly type: 'refused' }
  | { readonly type: 'wrong_target' };

interface KnownCode {
  readonly grant: CodeGrant;
  readonly issuedAt: number;
  /** What came of it. */
  readonly accessId?: string;
}

/** Authorization codes, in memory only: by their hash, each for one use. */
export class AuthorizationCodes {
  readonly #grants: LocalGrants;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #codes = new Map<string, KnownCode>();
  readonly #turns = new KeyedQueue();

  constructor(grants: LocalGrants, clock: Pick<Clock, 'now'>) {
    this.#grants = grants;
    this.#clock = clock;
  }

  /** A new code for what the person allowed. */
  issue(grant: CodeGrant): string {
    const now = this.#clock.now();
    for (const [hash, { accessId, issuedAt }] of this.#codes) {
      const keptMs = accessId === undefined ? CODE_MS : USED_CODE_MS;
      if (issuedAt + keptMs <= now) this.#codes.delete(hash);
    }
    const code = randomBytes(32).toString('base64url');
    this.#codes.set(hashOf(code), { grant, issuedAt: now });
    return code;
  }

  /**
   * Gives the tokens for a code. One that comes a second time ends what came of it (RFC 6749 section 4.1.2).
   * Throws `storage_failed`; then the code is still good.
   */
  async redeem(redemption: Redemption): Promise<RedemptionResult> {
    const hash = hashOf(redemption.code);
    // Of two that come at once the second one is the second use.
    return this.#turns.run(hash, async () => this.#redeem(hash, redemption));
  }

  async #redeem(hash: string, { clientId, isTarget, redirectUri, verifier }: Redemption): Promise<RedemptionResult> {
    const known = this.#codes.get(hash);
    if (known === undefined) return { type: 'refused' };
    const { accessId, grant, issuedAt } = known;
    const isOwner =
      grant.clientId === clientId &&
      (redirectUri === undefined || grant.redirectUri === redirectUri) &&
      isVerified(verifier, grant.challenge);
    // Who cannot prove that the code is theirs cannot use it up either.
    if (!isOwner) return { type: 'refused' };
    if (accessId !== undefined) {
      await this.#grants.end(accessId);
      return { type: 'refused' };
    }
    if (issuedAt + CODE_MS <= this.#clock.now()) return { type: 'refused' };
    if (!isTarget(grant.connection)) return { type: 'wrong_target' };
    const tokens = await this.#grants.issue(grant);
    this.#codes.set(hash, { ...known, accessId: tokens.accessId });
    return { type: 'issued', tokens };
  }
}

/** RFC 7636 section 4.6, S256. */
function isVerified(verifier: string, challenge: string): boolean {
  const computed = createHash('sha256').update(verifier).digest('hex');
  return isSameHash(computed, Buffer.from(challenge, 'base64url').toString('hex'));
}
