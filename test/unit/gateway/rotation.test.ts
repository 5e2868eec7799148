import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import type { IssuedTokens, RefreshResult } from '../../../src/gateway/authorization/localGrants.ts';
import { createRegistryFixture, KEY, OTHER_KEY, type RegistryFixture } from '../../headless/localAccess.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CLIENT = 'a-client';

let fixture: RegistryFixture;

beforeEach(async () => {
  fixture = await createRegistryFixture();
});

async function issue(): Promise<IssuedTokens> {
  const grant = { clientId: CLIENT, clientName: 'Client', connection: 'notes', allowedTools: '*' } as const;
  return fixture.registry.grants.issue(grant);
}

async function refresh(token: string, { registry } = fixture, clientId = CLIENT): Promise<RefreshResult> {
  return registry.grants.refresh(token, clientId, () => true);
}

async function renewed(token: string, from = fixture): Promise<IssuedTokens> {
  const result = await refresh(token, from);
  assert.equal(result.type, 'issued', JSON.stringify(result));
  assert.ok(result.type === 'issued');
  return result.tokens;
}

async function refusedFor(token: string, from = fixture): Promise<string> {
  const result = await refresh(token, from);
  assert.ok(result.type === 'refused', result.type);
  return result.reason;
}

/** The tokens that let somebody in now. */
function isLive(tokens: IssuedTokens, { registry } = fixture): boolean {
  return registry.use(tokens.accessToken, 'notes') !== undefined;
}

describe('a refresh at the gateway', () => {
  it('P39 revokes the old pair and makes a new one', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    assert.notEqual(second.accessToken, first.accessToken);
    assert.notEqual(second.refreshToken, first.refreshToken);
    assert.equal(isLive(first), false);
    assert.equal(isLive(second), true);
    assert.equal(fixture.registry.accesses.length, 1);
  });

  it('P39 gives full lifetimes at each of 50 rotations', async () => {
    let tokens = await issue();
    const seen = new Set([tokens.accessToken, tokens.refreshToken]);
    for (let rotation = 1; rotation <= 50; rotation += 1) {
      // Late in both lives, so that what was left of them would soon be nothing.
      fixture.clock.advance(rotation % 2 === 0 ? 20 * HOUR_MS : 29 * DAY_MS);
      tokens = await renewed(tokens.refreshToken);
      assert.equal(tokens.expiresIn, 86_400, `rotation ${rotation}`);
      const [access] = fixture.registry.accesses;
      assert.equal(access?.expiresAt, fixture.clock.now() + 30 * DAY_MS, `rotation ${rotation}`);
      seen.add(tokens.accessToken).add(tokens.refreshToken);
    }
    assert.equal(seen.size, 102);
    assert.equal(isLive(tokens), true);
    // The access lasts as long as its refresh token, and no day longer.
    fixture.clock.advance(DAY_MS - 1);
    assert.equal(isLive(tokens), true);
    fixture.clock.advance(1);
    assert.equal(isLive(tokens), false);
  });

  it('P39 takes lifetimes that were changed meanwhile', async () => {
    const first = await issue();
    fixture.lifetimes = { accessTokenMs: HOUR_MS, refreshTokenMs: DAY_MS, graceMs: 0 };
    const second = await renewed(first.refreshToken);
    assert.equal(second.expiresIn, 3600);
    fixture.clock.advance(DAY_MS);
    assert.equal(await refusedFor(second.refreshToken), 'expired');
  });

  it('P39 judges the refresh token by its own expiry, not by its access token’s', async () => {
    const first = await issue();
    fixture.clock.advance(2 * DAY_MS);
    assert.equal(isLive(first), false);
    const second = await renewed(first.refreshToken);
    assert.equal(isLive(second), true);
  });

  it('P39 refuses a refresh token that is over while its access token is good', async () => {
    fixture.lifetimes = { accessTokenMs: DAY_MS, refreshTokenMs: HOUR_MS, graceMs: 30_000 };
    const tokens = await issue();
    fixture.clock.advance(HOUR_MS - 1);
    assert.equal(isLive(tokens), true);
    fixture.clock.advance(1);
    assert.equal(await refusedFor(tokens.refreshToken), 'expired');
    assert.equal(isLive(tokens), true);
  });

  it('P40 repeated within the grace gives the same successor with what is left of its life', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    fixture.clock.advance(29_999);
    const again = await renewed(first.refreshToken);
    assert.deepEqual(again, { ...second, expiresIn: 86_400 - 30 });
    assert.equal(fixture.registry.accesses.length, 1);
    assert.equal(isLive(again), true);
  });

  it('P40 repeated gives the same successor, also when the pair before it was used', async () => {
    let tokens = await issue();
    for (let rotation = 1; rotation <= 3; rotation += 1) {
      assert.equal(isLive(tokens), true);
      const next = await renewed(tokens.refreshToken);
      assert.deepEqual(await renewed(tokens.refreshToken), next);
      tokens = next;
    }
  });

  it('P40 repeated at the end of the grace ends the family', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    fixture.clock.advance(30_000);
    assert.equal(await refusedFor(first.refreshToken), 'reuse');
    assert.equal(isLive(second), false);
    assert.equal(await refusedFor(second.refreshToken), 'unknown');
    assert.deepEqual(fixture.registry.accesses, []);
    assert.match(fixture.log.lines.join('\n'), /used a refresh token once more/);
  });

  it('P40 repeated after the successor was used ends the family, also within the grace', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    assert.equal(isLive(second), true);
    assert.equal(await refusedFor(first.refreshToken), 'reuse');
    assert.equal(isLive(second), false);
  });

  it('P40 repeated after the successor was renewed ends the family, also within the grace', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    const third = await renewed(second.refreshToken);
    assert.equal(await refusedFor(first.refreshToken), 'reuse');
    assert.equal(isLive(third), false);
    assert.equal(await refusedFor(third.refreshToken), 'unknown');
  });

  it('P40 ends no other access of the same client', async () => {
    const [one, other] = [await issue(), await issue()];
    await renewed(one.refreshToken);
    fixture.clock.advance(HOUR_MS);
    assert.equal(await refusedFor(one.refreshToken), 'reuse');
    assert.equal(isLive(other), true);
  });

  it('P40 of a generation long ago still ends the family', async () => {
    const first = await issue();
    let tokens = first;
    for (let rotation = 1; rotation <= 30; rotation += 1) tokens = await renewed(tokens.refreshToken);
    assert.equal(await refusedFor(first.refreshToken), 'reuse');
    assert.equal(isLive(tokens), false);
  });

  it('P40 keeps no more than 32 retired pairs, and none that are over', async () => {
    let tokens = await issue();
    for (let rotation = 1; rotation <= 100; rotation += 1) tokens = await renewed(tokens.refreshToken);
    assert.equal(Object.keys(fixture.file.document.tokens).length, 33);
    fixture.clock.advance(29 * DAY_MS);
    tokens = await renewed(tokens.refreshToken);
    fixture.clock.advance(2 * DAY_MS);
    await renewed(tokens.refreshToken);
    assert.equal(Object.keys(fixture.file.document.tokens).length, 2);
  });

  it('P40 without a grace takes every repeat for a theft', async () => {
    fixture.lifetimes = { ...fixture.lifetimes, graceMs: 0 };
    const first = await issue();
    const second = await renewed(first.refreshToken);
    fixture.clock.jump(-1000);
    assert.equal(await refusedFor(first.refreshToken), 'reuse');
    assert.equal(isLive(second), false);
  });

  it('P40 two at the same moment give one successor', async () => {
    const first = await issue();
    const [one, other] = await Promise.all([renewed(first.refreshToken), renewed(first.refreshToken)]);
    assert.deepEqual(one, other);
    assert.equal(Object.keys(fixture.file.document.tokens).length, 2);
  });

  it('P40, P41 after a kill between commit and answer gives the same successor', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    const after = await fixture.reload();
    const again = await renewed(first.refreshToken, after);
    assert.deepEqual(again, second);
    assert.equal(isLive(again, after), true);
  });

  it('P40 the first use of a successor outlives a kill', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    const { writes } = fixture.file;
    assert.equal(isLive(second), true);
    // Nothing else writes, and no clock moves.
    await new Promise(setImmediate);
    assert.equal(fixture.file.writes, writes + 1);
    assert.equal(await refusedFor(first.refreshToken, await fixture.reload()), 'reuse');
  });

  it('P41 after a kill before the commit the old token is good', async () => {
    const first = await issue();
    fixture.file.isFull = true;
    await assert.rejects(refresh(first.refreshToken), (error) => isConnectionError(error, 'storage_failed'));
    assert.equal(isLive(first), true);
    const after = await fixture.reload();
    assert.equal(isLive(first, after), true);
    assert.equal(isLive(await renewed(first.refreshToken, after), after), true);
  });

  it('P41 is in the file before it is answered', async () => {
    const first = await issue();
    const before = fixture.file.text;
    let open: (() => void) | undefined;
    fixture.file.gate = new Promise((resolve) => {
      open = resolve;
    });
    let isAnswered = false;
    const answer = refresh(first.refreshToken).finally(() => {
      isAnswered = true;
    });
    await new Promise(setImmediate);
    assert.equal(isAnswered, false);
    assert.equal(fixture.file.text, before);
    assert.equal(isLive(first), true);
    open?.();
    await answer;
    assert.notEqual(fixture.file.text, before);
    assert.equal(isLive(first), false);
  });

  it('P41 a family that could not be ended in the file is not said to have ended', async () => {
    const first = await issue();
    await renewed(first.refreshToken);
    fixture.clock.advance(HOUR_MS);
    fixture.file.isFull = true;
    await assert.rejects(refresh(first.refreshToken), (error) => isConnectionError(error, 'storage_failed'));
    fixture.file.isFull = false;
    assert.equal(await refusedFor(first.refreshToken), 'reuse');
  });

  it('P39 refuses the token to another client, and takes nothing from its owner', async () => {
    const first = await issue();
    assert.deepEqual(await refresh(first.refreshToken, fixture, 'another'), {
      type: 'refused',
      reason: 'wrong_client',
    });
    await renewed(first.refreshToken);
    assert.deepEqual(await refresh(first.refreshToken, fixture, 'another'), {
      type: 'refused',
      reason: 'wrong_client',
    });
    assert.equal(fixture.registry.accesses.length, 1);
  });

  it('P39 refuses an access token in its place, and what was never given', async () => {
    const { accessToken, refreshToken } = await issue();
    for (const token of [accessToken, '', `${refreshToken}x`, refreshToken.toUpperCase()]) {
      assert.equal(await refusedFor(token), 'unknown');
    }
    assert.equal(fixture.registry.use(refreshToken, 'notes'), undefined);
  });

  it('P41 the file and the log hold no token', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    await renewed(first.refreshToken);
    const texts = `${fixture.file.text}${fixture.log.lines.join()}`;
    for (const token of [first.accessToken, first.refreshToken, second.accessToken, second.refreshToken]) {
      assert.match(token, /^skg_[ar]_[\w-]{43}$/);
      assert.equal(texts.includes(token.slice(6)), false);
    }
  });
});

describe('a repeated refresh while the keychain is away', () => {
  it('P41 takes the key that the successor was made with', async () => {
    fixture.loadKeys = async () => ({ key: OTHER_KEY, hidden: new ConnectionError('keychain_locked', {}) });
    const first = await issue();
    const second = await renewed(first.refreshToken);
    fixture.loadKeys = async () => ({ key: KEY, other: async () => OTHER_KEY });
    assert.deepEqual(await renewed(first.refreshToken), second);
  });

  it('P41 fails and ends nothing while that key is hidden', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    fixture.loadKeys = async () => ({ key: OTHER_KEY, hidden: new ConnectionError('keychain_locked', {}) });
    await assert.rejects(refresh(first.refreshToken), (error) => isConnectionError(error, 'keychain_locked'));
    fixture.loadKeys = async () => ({ key: KEY });
    assert.deepEqual(await renewed(first.refreshToken), second);
  });

  it('P41 is refused when that key is lost, and ends nothing', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    fixture.loadKeys = async () => ({ key: OTHER_KEY });
    assert.equal(await refusedFor(first.refreshToken), 'key_lost');
    assert.equal(isLive(second), true);
  });

  it('P41 and a first one are refused, and change nothing, without any key', async () => {
    const first = await issue();
    const { text } = fixture.file;
    fixture.loadKeys = async () => {
      throw new ConnectionError('keychain_unavailable', { problem: 'none' });
    };
    await assert.rejects(refresh(first.refreshToken), (error) => isConnectionError(error, 'keychain_unavailable'));
    assert.equal(fixture.file.text, text);
    assert.equal(isLive(first), true);
  });
});

describe('revocation at the gateway', () => {
  for (const type of ['refreshToken', 'accessToken'] as const) {
    it(`P38 of the ${type} ends all of it`, async () => {
      const first = await issue();
      const second = await renewed(first.refreshToken);
      assert.equal(await fixture.registry.grants.revoke(second[type], CLIENT), 'ended');
      assert.equal(isLive(second), false);
      assert.equal(await refusedFor(second.refreshToken), 'unknown');
      assert.equal(await fixture.registry.grants.revoke(second[type], CLIENT), 'unknown');
    });
  }

  it('P38 of a retired refresh token ends all of it, of a retired access token nothing', async () => {
    const first = await issue();
    const second = await renewed(first.refreshToken);
    assert.equal(await fixture.registry.grants.revoke(first.accessToken, CLIENT), 'unknown');
    assert.equal(isLive(second), true);
    assert.equal(await fixture.registry.grants.revoke(first.refreshToken, CLIENT), 'ended');
    assert.equal(isLive(second), false);
  });

  it('P38 by another client ends nothing', async () => {
    const first = await issue();
    assert.equal(await fixture.registry.grants.revoke(first.refreshToken, 'another'), 'wrong_client');
    assert.equal(await fixture.registry.grants.revoke(first.accessToken, 'another'), 'wrong_client');
    const byHand = await fixture.registry.createToken({ label: 'x', connection: 'notes', allowedTools: '*' });
    assert.equal(await fixture.registry.grants.revoke(byHand, CLIENT), 'wrong_client');
    assert.equal(isLive(first), true);
  });
});
