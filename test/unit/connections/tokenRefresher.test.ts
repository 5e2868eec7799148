import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { isRenewable, renewedSecret } from '../../../src/connections/tokenRefresher.ts';
import type { TokenAnswer } from '../../../src/oauth/token.ts';
import { newConnection, SERVER_URL } from '../../headless/flowParts.ts';
import { issued } from '../../headless/renewalStand.ts';

describe('the tokens after a renewal', () => {
  const secret: ConnectionSecret = { version: 1, generation: 4, serverUrl: SERVER_URL, tokens: issued };
  const dpopKey = { algorithm: 'ES256', jwk: { kty: 'EC' } };
  const newAnswer: TokenAnswer = { accessToken: 'at-2', tokenType: 'dpop' };
  const refreshed = (more: Partial<TokenAnswer> = {}) =>
    renewedSecret(
      secret,
      { ...issued, refreshScope: 'omitted', keepsRefreshToken: true },
      { type: 'refreshed', answer: { ...newAnswer, ...more }, memory: {} },
      7,
    );

  it('P28 keep the refresh token when there is no other, and know that the server keeps it', () => {
    const kept = { ...issued, accessToken: 'at-2', keepsRefreshToken: true };
    assert.deepEqual(refreshed(), { ...secret, generation: 7, answered: 7, tokens: kept });
    assert.deepEqual(refreshed({ refreshToken: 'rt-1' }).tokens, kept);
    assert.deepEqual(refreshed({ refreshToken: 'rt-2' }).tokens, {
      ...issued,
      accessToken: 'at-2',
      refreshToken: 'rt-2',
    });
  });

  it('P32 have no earlier refresh token when they were asked for anew', () => {
    const anew = { type: 'asked_anew', answer: newAnswer } as const;
    const { refreshToken: _, ...rest } = issued;
    assert.deepEqual(renewedSecret(secret, issued, anew, 7).tokens, { ...rest, accessToken: 'at-2' });
    const withNext = { ...anew, answer: { ...newAnswer, refreshToken: 'rt-2' } };
    assert.deepEqual(renewedSecret(secret, issued, withNext, 7).tokens, {
      ...rest,
      accessToken: 'at-2',
      refreshToken: 'rt-2',
    });
    const none = renewedSecret(secret, rest, { type: 'refreshed', answer: newAnswer, memory: {} }, 7).tokens;
    assert.deepEqual(none, { ...rest, accessToken: 'at-2' });
  });

  it('RFC 9449 say what they are where they may be bound to a key', () => {
    const bound = { ...issued, dpopKey };
    const { tokenType } = renewedSecret(secret, bound, { type: 'asked_anew', answer: newAnswer }, 7).tokens ?? {};
    assert.equal(tokenType, 'dpop');
  });

  it('can be renewed by their refresh token, or by asking for them anew', () => {
    const connection = newConnection();
    const { refreshToken: _, ...rest } = issued;
    assert.deepEqual(
      [
        isRenewable(issued, connection),
        isRenewable(rest, connection),
        isRenewable(undefined, connection),
        isRenewable(rest, { ...connection, kind: 'client_credentials' }),
        isRenewable(undefined, { ...connection, kind: 'client_credentials' }),
        isRenewable(rest, { ...connection, kind: 'static_token' }),
      ],
      [true, false, false, true, true, false],
    );
  });
});
