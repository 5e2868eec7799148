import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { EmbeddedJWK, jwtVerify } from 'jose';
import { type Discovery, dpopAlgorithm } from '../../../src/oauth/discovery.ts';
import { DpopNonces, dpopProof } from '../../../src/oauth/dpop.ts';
import { generateSigningKey, thumbprint } from '../../../src/oauth/signingKey.ts';

describe('RFC 9449 section 4.2: a proof', () => {
  it('says method, URL without query and fragment, time, and is another each time', async () => {
    const key = await generateSigningKey('ES256');
    const url = 'https://mcp.example:8443/a%20b/mcp?session=1#part';
    const proofs = await Promise.all(
      [1, 2].map(async () =>
        jwtVerify(await dpopProof(key, { method: 'POST', url, nonce: undefined }), EmbeddedJWK, { typ: 'dpop+jwt' }),
      ),
    );
    const [first, second] = proofs.map(({ payload }) => payload);
    assert.equal(first?.['htm'], 'POST');
    assert.equal(first['htu'], 'https://mcp.example:8443/a%20b/mcp');
    assert.ok(Math.abs((first.iat ?? 0) - Date.now() / 1000) < 5);
    assert.notEqual(first.jti, second?.jti);
    assert.ok((first.jti ?? '').length >= 16);
    assert.deepEqual(Object.keys(first).toSorted(), ['htm', 'htu', 'iat', 'jti']);
  });

  it('holds nonce and token hash where there are any, and the public key only', async () => {
    const key = await generateSigningKey('EdDSA');
    // Enough tokens that their hashes have every character of base64 that a URL may not have.
    for (const accessToken of Array.from({ length: 20 }, (_, index) => `token-ü ${index}`)) {
      const request = { method: 'GET', url: 'https://mcp.example/mcp', nonce: 'n-1', accessToken };
      const { payload, protectedHeader } = await jwtVerify(await dpopProof(key, request), EmbeddedJWK);
      assert.equal(payload['nonce'], 'n-1');
      assert.equal(payload['ath'], createHash('sha256').update(accessToken).digest('base64url'));
      assert.deepEqual(Object.keys(protectedHeader.jwk ?? {}).toSorted(), ['alg', 'crv', 'kty', 'x']);
      assert.equal(protectedHeader.alg, 'EdDSA');
    }
  });

  it('RFC 7638 has a thumbprint that does not depend on the algorithm', async () => {
    const key = await generateSigningKey('RS256');
    assert.equal(await thumbprint(key), await thumbprint({ ...key, algorithm: 'PS256' }));
    // The example of RFC 7638 section 3.1, as a key pair: private members do not count.
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const known = { algorithm: 'RS256', jwk: { kty: 'RSA', n, e: 'AQAB', d: 'private', kid: '2011-04-29' } };
    assert.equal(await thumbprint(known), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });
});

describe('RFC 9449 section 8: nonces', () => {
  it('are kept for each origin, the last one of them', () => {
    const nonces = new DpopNonces();
    nonces.note('https://as.example/token', 'a');
    nonces.note('https://mcp.example/mcp', 'm');
    nonces.note('https://as.example/other', 'b');
    assert.equal(nonces.for('https://as.example/token'), 'b');
    assert.equal(nonces.for('https://mcp.example/mcp'), 'm');
    assert.equal(nonces.for('https://as.example:8443/token'), undefined);
  });

  it('that are none change nothing', () => {
    const nonces = new DpopNonces();
    nonces.note('https://as.example/token', 'good');
    for (const nonce of [null, '', 'two words', 'a"b', 'a\\b', 'ü', 'a\nb', 'x'.repeat(2049)]) {
      nonces.note('https://as.example/token', nonce);
      assert.equal(nonces.for('https://as.example/token'), 'good');
    }
  });

  it('of ever more origins do not fill the memory', () => {
    const nonces = new DpopNonces();
    nonces.note('https://mine.example', 'first');
    for (let index = 0; index < 1000; index += 1) {
      nonces.note(`https://h${index}.example`, 'n');
      nonces.note('https://mine.example', `still-${index}`);
    }
    assert.equal(nonces.for('https://mine.example'), 'still-999');
    const kept = Array.from({ length: 1000 }, (_, index) => nonces.for(`https://h${index}.example`));
    assert.equal(kept.filter((nonce) => nonce !== undefined).length, 199);
    assert.equal(kept[999], 'n');
  });
});

/** What two servers say of DPoP. */
function discovery(
  server: readonly string[] | undefined,
  resource: readonly string[] | undefined,
  more: { readonly takesDpop?: boolean; readonly isRequired?: boolean } = {},
): Discovery {
  return {
    resource: 'https://mcp.example/mcp',
    issuers: [],
    metadataSource: 'published',
    challenge: { scheme: 'bearer', takesDpop: more.takesDpop === true, scopes: [] },
    resourceMetadata: {
      resource: 'https://mcp.example/mcp',
      ...(resource !== undefined && { dpop_signing_alg_values_supported: [...resource] }),
      ...(more.isRequired === true && { dpop_bound_access_tokens_required: true }),
    },
    authorizationServer: {
      issuer: 'https://as.example',
      token_endpoint: 'https://as.example/token',
      ...(server !== undefined && { dpop_signing_alg_values_supported: [...server] }),
    },
  };
}

describe('RFC 9449 section 5.1: tokens are bound to a key', () => {
  for (const [name, given, setting, expected] of [
    ['where both do it', discovery(['ES256', 'RS256'], ['ES256']), undefined, 'ES256'],
    ['where the challenge takes it', discovery(['RS256', 'ES256'], undefined, { takesDpop: true }), undefined, 'ES256'],
    ['where it is required', discovery(['PS256'], undefined, { isRequired: true }), undefined, 'PS256'],
    ['with an algorithm that both know', discovery(['ES256', 'EdDSA'], ['EdDSA']), undefined, 'EdDSA'],
    ['not where the MCP server says nothing of it', discovery(['ES256'], undefined), undefined, undefined],
    ['not where the authorization server does not', discovery(undefined, ['ES256']), undefined, undefined],
    ['not where they share no algorithm', discovery(['ES256'], ['EdDSA']), undefined, undefined],
    ['not with algorithms that are none of ours', discovery(['ES256K', 'HS256'], undefined), 'always', undefined],
    ['when the person wants it', discovery(['ES384'], undefined), 'always', 'ES384'],
    ['when the person wants it and nobody speaks of it', discovery(undefined, undefined), 'always', 'ES256'],
    ['when the person wants it and only the MCP server does', discovery(undefined, ['EdDSA']), 'always', 'EdDSA'],
    ['never when the person does not', discovery(['ES256'], ['ES256'], { isRequired: true }), 'never', undefined],
  ] as const) {
    it(name, () => assert.equal(dpopAlgorithm(given, setting), expected));
  }
});
