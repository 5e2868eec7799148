import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findBearerChallenge, parseChallenges } from '../../../src/oauth/challenge.ts';

describe('P7 WWW-Authenticate', () => {
  for (const [header, expected] of [
    ['Bearer', [['bearer', {}]]],
    ['Bearer realm="x"', [['bearer', { realm: 'x' }]]],
    [
      'Basic realm="a, b", Bearer scope="read write", error="insufficient_scope"',
      [
        ['basic', { realm: 'a, b' }],
        ['bearer', { scope: 'read write', error: 'insufficient_scope' }],
      ],
    ],
    [
      'Negotiate YIIab==, Bearer error=invalid_token',
      [
        ['negotiate', {}],
        ['bearer', { error: 'invalid_token' }],
      ],
    ],
    [
      'Basic, DPoP algs="ES256", Bearer',
      [
        ['basic', {}],
        ['dpop', { algs: 'ES256' }],
        ['bearer', {}],
      ],
    ],
    [String.raw`Bearer realm="say \"hi\"", scope=a`, [['bearer', { realm: 'say "hi"', scope: 'a' }]]],
    ['BEARER Scope = "a" , ERROR = b', [['bearer', { scope: 'a', error: 'b' }]]],
    ['Bearer scope="first", scope="second"', [['bearer', { scope: 'first' }]]],
    ['Bearer scope="unterminated', [['bearer', {}]]],
    ['', []],
    [', ,', []],
    ['"', []],
  ] as const) {
    it(`reads ${header || '(nothing)'}`, () => {
      const read = parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
      assert.deepEqual(read, expected);
    });
  }

  it('P1 P15 finds metadata URL, error and scopes of the Bearer challenge behind another', () => {
    const header =
      'Basic realm="x", Bearer error="insufficient_scope", scope="a b", resource_metadata="https://x/.well-known/a?b=c,d"';
    assert.deepEqual(findBearerChallenge(header), {
      scheme: 'bearer',
      takesDpop: false,
      error: 'insufficient_scope',
      scopes: ['a', 'b'],
      resourceMetadataUrl: 'https://x/.well-known/a?b=c,d',
    });
    assert.deepEqual(findBearerChallenge('DPoP error_description="why", realm=x'), {
      scheme: 'dpop',
      scopes: [],
      errorDescription: 'why',
      takesDpop: true,
    });
    assert.equal(findBearerChallenge('Basic realm="x"'), undefined);
    assert.equal(findBearerChallenge(null), undefined);
  });

  for (const [header, expected] of [
    [
      'DPoP algs="ES256", Bearer error="insufficient_scope", scope="a", resource_metadata="https://x/m"',
      { scheme: 'bearer', error: 'insufficient_scope', scopes: ['a'], resourceMetadataUrl: 'https://x/m' },
    ],
    [
      'Bearer scope="a", resource_metadata="https://x/m", DPoP error="use_dpop_nonce", algs="ES256"',
      { scheme: 'dpop', error: 'use_dpop_nonce', scopes: ['a'], resourceMetadataUrl: 'https://x/m' },
    ],
    [
      'DPoP error="invalid_token", scope="b", Bearer error="insufficient_scope", scope="a"',
      { scheme: 'dpop', error: 'invalid_token', scopes: ['b'] },
    ],
    ['Bearer, DPoP algs="ES256", error="use_dpop_nonce"', { scheme: 'dpop', error: 'use_dpop_nonce', scopes: [] }],
    [
      'DPoP algs="ES256", Bearer error="insufficient_scope", scope="a"',
      { scheme: 'bearer', error: 'insufficient_scope', scopes: ['a'] },
    ],
    ['Bearer, DPoP scope="b"', { scheme: 'bearer', scopes: ['b'] }],
  ] as const) {
    it(`RFC 9449 section 7.2: of both schemes the one with an error counts: ${header}`, () => {
      assert.deepEqual(findBearerChallenge(header), { takesDpop: true, ...expected });
    });
  }
});
