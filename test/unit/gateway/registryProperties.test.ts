import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { IssuedTokens } from '../../../src/gateway/authorization/localGrants.ts';
import { createRegistryFixture, type RegistryFixture } from '../../headless/localAccess.ts';

const CLIENT = 'a-client';
const LIFETIMES = { accessTokenMs: 100_000, refreshTokenMs: 1_000_000, graceMs: 30_000 };

/** What may happen; `pick` chooses among the tokens that were ever given. */
type Step =
  | { readonly type: 'refresh' | 'use' | 'revoke' | 'twice'; readonly pick: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'issue' | 'reload' | 'restart' | 'full' | 'end' };

const pick = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom('refresh' as const, 'twice' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('use' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('revoke' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 10_000, 29_999, 30_000, 60_000, 99_999, 100_000, 999_999, 1_000_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('issue', 'reload', 'restart', 'full', 'end' as const) }) },
);

/** A pair as the model knows it. */
interface Pair {
  readonly tokens: IssuedTokens;
  readonly family: Family;
  readonly givenAt: number;
}

interface Family {
  isEnded: boolean;
  /** The newest is the last. */
  readonly pairs: Pair[];
}

/** A run of steps, and what has to hold after each of them. */
class Run {
  #fixture: RegistryFixture;
  readonly #pairs: Pair[] = [];
  /** Newest pairs that were seen to arrive. */
  readonly #used = new Set<Pair>();
  readonly #retiredAt = new Map<Pair, number>();

  constructor(fixture: RegistryFixture) {
    this.#fixture = fixture;
  }

  async take(step: Step): Promise<void> {
    const { clock, file, registry } = this.#fixture;
    const pair = 'pick' in step ? this.#pairs[step.pick % Math.max(this.#pairs.length, 1)] : undefined;
    switch (step.type) {
      case 'issue':
        return this.#issue();
      case 'refresh':
        if (pair !== undefined) await this.#refresh(pair);
        return;
      case 'twice':
        if (pair !== undefined) await Promise.all([this.#refresh(pair), this.#refresh(pair)]);
        return;
      case 'use':
        if (pair !== undefined) this.#use(pair);
        return;
      case 'revoke':
        if (pair === undefined) return;
        if ((await registry.grants.revoke(pair.tokens.refreshToken, CLIENT)) === 'ended') pair.family.isEnded = true;
        return;
      case 'wait':
        clock.advance(step.ms);
        return;
      case 'reload':
        // A kill: what was answered before it holds. The first use of a successor is written at once.
        await registry.revoke([]);
        this.#fixture = await this.#fixture.reload();
        return;
      case 'restart':
        await registry.dispose();
        await registry.load();
        return;
      case 'full': {
        file.isFull = true;
        const before = file.text;
        const last = this.#pairs.at(-1);
        if (last !== undefined) {
          const refreshing = registry.grants.refresh(last.tokens.refreshToken, CLIENT, () => true);
          // One that changes nothing, such as a repeat, is answered on a full disk, too.
          const result = await refreshing.catch(() => undefined);
          if (result?.type === 'issued') assert.equal(result.tokens.accessId, last.tokens.accessId);
        }
        assert.equal(file.text, before);
        file.isFull = false;
        return;
      }
      case 'end':
        for (const { id } of registry.accesses.slice(0, 1)) {
          await registry.revoke([id]);
          for (const each of this.#pairs) if (each.tokens.accessId === id) each.family.isEnded = true;
        }
        return;
      default:
        step satisfies never;
    }
  }

  async #issue(): Promise<void> {
    const { clock, registry } = this.#fixture;
    const grant = { clientId: CLIENT, clientName: 'C', connection: 'notes', allowedTools: '*' } as const;
    const family: Family = { isEnded: false, pairs: [] };
    this.#add({ tokens: await registry.grants.issue(grant), family, givenAt: clock.now() });
  }

  #add(pair: Pair): void {
    assert.equal(pair.tokens.expiresIn, LIFETIMES.accessTokenMs / 1000, 'a new pair has its full life');
    pair.family.pairs.push(pair);
    this.#pairs.push(pair);
  }

  #use(pair: Pair): void {
    if (this.#fixture.registry.use(pair.tokens.accessToken, 'notes') !== undefined) this.#used.add(pair);
  }

  async #refresh(pair: Pair): Promise<void> {
    const { clock, registry } = this.#fixture;
    const { family } = pair;
    const now = clock.now();
    const result = await registry.grants.refresh(pair.tokens.refreshToken, CLIENT, () => true);
    assert.notEqual(result.type, 'wrong_target');
    if (result.type === 'refused') {
      if (result.reason === 'reuse') family.isEnded = true;
      const isOver = now >= pair.givenAt + LIFETIMES.refreshTokenMs;
      const isRetired = pair !== family.pairs.at(-1);
      assert.ok(family.isEnded || isOver || isRetired, 'a good refresh token is refused');
      return;
    }
    assert.ok(!family.isEnded, 'a family that has ended gives a pair');
    const known = family.pairs.find(
      ({ tokens }) => 'tokens' in result && tokens.accessToken === result.tokens.accessToken,
    );
    if (known === undefined) {
      assert.equal(family.pairs.at(-1), pair, 'only the newest is renewed');
      assert.ok(now < pair.givenAt + LIFETIMES.refreshTokenMs, 'one that is over is renewed');
      this.#retiredAt.set(pair, now);
      if (result.type === 'issued') this.#add({ tokens: result.tokens, family, givenAt: now });
      return;
    }
    assert.equal(known, family.pairs.at(-1), 'only the newest is given again');
    assert.equal(family.pairs.at(-2), pair, 'only to whoever presents the one before it');
    assert.ok(!this.#used.has(known), 'it was used before');
    assert.ok(now - (this.#retiredAt.get(pair) ?? 0) < LIFETIMES.graceMs, 'the grace is over');
    const left = known.givenAt + LIFETIMES.accessTokenMs - now;
    if (result.type === 'issued') assert.equal(result.tokens.expiresIn, Math.max(Math.floor(left / 1000), 0));
  }

  /** Looks without using: what lets somebody in is asked of another registry over the same text. */
  async check(): Promise<void> {
    const { registry } = await this.#fixture.reload();
    const now = this.#fixture.clock.now();
    const live = new Map<Family, number>();
    for (const pair of this.#pairs) {
      const isIn = registry.use(pair.tokens.accessToken, 'notes') !== undefined;
      const { family } = pair;
      if (isIn) live.set(family, (live.get(family) ?? 0) + 1);
      const isExpected =
        !family.isEnded && pair === family.pairs.at(-1) && now < pair.givenAt + LIFETIMES.accessTokenMs;
      assert.equal(isIn, isExpected, 'who is let in');
    }
    assert.ok(
      [...live.values()].every((count) => count === 1),
      'two live successors',
    );
  }
}

describe('any order of events', () => {
  it('P39, P40, P41 never gives two live successors, a live token after its family ended, or a shortened life', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const run = new Run(await createRegistryFixture({ lifetimes: LIFETIMES }));
        await run.take({ type: 'issue' });
        for (const each of steps) {
          await run.take(each);
          await run.check();
        }
      }),
      { numRuns: 300 },
    );
  });
});
