import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isOfAnotherKey, seal, unseal } from '../../../src/platform/sealing.ts';

const key = randomBytes(32).toString('base64url');
const otherKey = randomBytes(32).toString('base64url');

describe('sealing', () => {
  it('P31 gives back any text, under its own key and context only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.string(), (text, context, otherContext) => {
        const wellFormed = Buffer.from(text).toString();
        const sealed = seal(key, context, wellFormed);
        assert.equal(unseal(key, context, sealed), wellFormed);
        assert.equal(unseal(otherKey, context, sealed), undefined);
        if (otherContext !== context) assert.equal(unseal(key, otherContext, sealed), undefined);
      }),
    );
  });

  it('P31 gives nothing for a text that was changed in one place', () => {
    const sealed = seal(key, 'context', 'the text');
    fc.assert(
      fc.property(
        fc.nat(sealed.length - 1),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
        (at, other) => {
          fc.pre(other !== sealed[at]);
          assert.equal(unseal(key, 'context', sealed.slice(0, at) + other + sealed.slice(at + 1)), undefined);
        },
      ),
    );
  });

  it('P31 gives nothing for a text that was cut or has something after it', () => {
    const sealed = seal(key, 'context', 'the text');
    for (let length = 0; length < sealed.length; length += 1) {
      assert.equal(unseal(key, 'context', sealed.slice(0, length)), undefined, String(length));
    }
    for (const more of ['A', 'AAAA', ' ', '\n', '=']) assert.equal(unseal(key, 'context', sealed + more), undefined);
  });

  it('P31 tells a text of another key from one that is broken', () => {
    const sealed = seal(key, 'context', 'the text');
    assert.ok(isOfAnotherKey(otherKey, sealed));
    assert.ok(isOfAnotherKey(key, 'scopekeeper-sealed-1:AAAA'));
    for (const broken of [sealed, `${sealed}A`, sealed.slice(0, 40), sealed.slice(0, 20), '', '{"status":200}']) {
      assert.equal(isOfAnotherKey(key, broken), false, broken);
    }
  });

  it('P36 shows nothing of the text, and is another each time', () => {
    const sealed = seal(key, 'context', 'rt-canary');
    assert.doesNotMatch(sealed + Buffer.from(sealed, 'base64url').toString('latin1'), /canary/);
    assert.notEqual(seal(key, 'context', 'rt-canary'), sealed);
  });
});
