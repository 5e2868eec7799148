import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  editorTokenOf,
  hashOf,
  isSameHash,
  newToken,
  successorToken,
} from '../../../src/gateway/authorization/tokens.ts';

const KEY = 'k'.repeat(43);

describe('the tokens of the gateway', () => {
  it('P41 are 256 random bits, and tell which they are', () => {
    const tokens = Array.from({ length: 100 }, () => newToken('access'));
    assert.equal(new Set(tokens).size, 100);
    for (const token of tokens) assert.match(token, /^skg_a_[\w-]{43}$/);
    assert.match(newToken('refresh'), /^skg_r_[\w-]{43}$/);
  });

  it('P41 a successor depends on the key, the token that was presented, its generation, and which of the two it is', () => {
    const successors = [
      successorToken(KEY, 'presented', 2, 'access'),
      successorToken(`${KEY.slice(1)}x`, 'presented', 2, 'access'),
      successorToken(KEY, 'another', 2, 'access'),
      successorToken(KEY, 'presented', 3, 'access'),
      successorToken(KEY, 'presented', 2, 'refresh'),
      editorTokenOf(KEY, 'presented'),
    ];
    assert.equal(new Set(successors.map((token) => token.slice('skg_a_'.length))).size, successors.length);
    assert.equal(successorToken(KEY, 'presented', 2, 'access'), successors[0]);
  });

  it('P41 are compared by their SHA-256', () => {
    const hash = createHash('sha256').update('token').digest('hex');
    assert.equal(hashOf('token'), hash);
    assert.equal(isSameHash(hash, hash.toUpperCase()), true);
    assert.equal(isSameHash(hash, hashOf('other')), false);
    assert.equal(isSameHash(hash, hash.slice(2)), false);
    assert.equal(isSameHash(hash, ''), false);
  });
});
