import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { DpopNonces, dpopProof } from '../../../src/oauth/dpop.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import {
  chooseAlgorithm,
  generateSigningKey,
  privateCryptoKey,
  publicJwk,
  readSigningKey,
  type SigningKey,
  thumbprint,
} from '../../../src/oauth/signingKey.ts';

const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const longElliptic = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const edwards = generateKeyPairSync('ed25519').privateKey;

function pem(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string {
  return String(key.export({ format: 'pem', type }));
}

function jwk(key: KeyObject, more: object = {}): string {
  return JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });
}

describe('P10 the algorithm of a key', () => {
  for (const [supported, expected] of [
    [undefined, 'ES256'],
    [[], undefined],
    [['none', 'HS256'], undefined],
    [['RS256', 'ES384'], 'ES384'],
    [['RS256'], 'RS256'],
  ] as const) {
    it(`of ${JSON.stringify(supported) ?? 'nothing'} is ${expected ?? 'none'}`, () => {
      assert.equal(chooseAlgorithm(supported), expected);
    });
  }
});

describe('P10 a key of the person’s own', () => {
  for (const [title, text, supported, algorithm] of [
    ['P-256 as PEM', pem(elliptic), undefined, 'ES256'],
    ['P-384 as PEM', `\n ${pem(longElliptic)}\n`, undefined, 'ES384'],
    ['Ed25519 as PEM', pem(edwards), undefined, 'EdDSA'],
    ['RSA as PEM', pem(rsa), undefined, 'PS256'],
    ['RSA as PEM for RS256', pem(rsa), ['ES256', 'RS256'], 'RS256'],
    ['P-256 as JWK', jwk(elliptic), undefined, 'ES256'],
    ['RSA as JWK', ` ${jwk(rsa)} `, ['RS512'], 'RS512'],
    ['RSA as JWK that says which', jwk(rsa, { alg: 'RS256' }), undefined, 'RS256'],
    ['P-256 as JWK with more', jwk(elliptic, { key_ops: ['sign'], ext: true, kid: 'k' }), undefined, 'ES256'],
  ] as const) {
    it(`${title} signs with ${algorithm}, and shows only its public half`, async () => {
      const key = await readSigningKey(text, supported);
      assert.equal(key.algorithm, algorithm);
      assert.equal((await privateCryptoKey(key)).extractable, false);
      const shown = publicJwk(key);
      assert.equal(shown['alg'], algorithm);
      const secrets = Object.keys(shown).filter((name) => !['kty', 'crv', 'x', 'y', 'n', 'e', 'alg'].includes(name));
      assert.deepEqual(secrets, []);
    });
  }

  for (const [title, text, supported, problem] of [
    ['nothing', '', undefined, 'not_a_key'],
    ['a password', 'canary', undefined, 'not_a_key'],
    ['a key in the old form', pem(rsa, 'pkcs1'), undefined, 'not_pkcs8'],
    ['a key in the old form of its curve', pem(elliptic, 'sec1'), undefined, 'not_pkcs8'],
    ['no JSON', '{ canary', undefined, 'not_a_key'],
    ['JSON that is no key', '{"canary":1}', undefined, 'not_a_key'],
    ['a key that two share', '{"kty":"oct","k":"canary","d":"x"}', undefined, 'not_a_key'],
    ['a public key', JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'canary', y: 'y' }), undefined, 'not_a_key'],
    ['a key of no type', JSON.stringify({ d: 'canary' }), undefined, 'not_a_key'],
    ['a broken key', JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'canary', y: 'y', d: 'd' }), undefined, 'algorithm'],
    ['a broken PEM', '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----', undefined, 'algorithm'],
    ['a key for what the server does not take', pem(elliptic), ['RS256'], 'algorithm'],
    ['a JWK for what the server does not take', jwk(rsa, { alg: 'RS256' }), ['PS256'], 'algorithm'],
    ['a key where the server takes none of ours', pem(elliptic), ['HS256'], 'algorithm'],
  ] as const) {
    it(`that is ${title} is refused, and repeated nowhere`, async () => {
      await assert.rejects(readSigningKey(text, supported), (error) => {
        assert.ok(isOAuthError(error, 'signing_key_invalid'));
        assert.deepEqual(error.details, { problem });
        assert.equal(error.cause, undefined);
        assert.ok(!`${error.message} ${error.stack ?? ''}`.includes('canary'));
        return true;
      });
    });
  }

  it('is no key when it is one that two share', async () => {
    await assert.rejects(privateCryptoKey({ algorithm: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } }), {
      code: 'signing_key_invalid',
      details: { problem: 'not_a_key' },
    });
  });
});

const URL_OF_TOKEN = 'https://as.example/token?a=b#c';

async function readProof(key: SigningKey, proof: string) {
  const verified = await jwtVerify(proof, await importJWK({ ...publicJwk(key), kty: key.jwk['kty'] ?? '' }));
  return { payload: verified.payload, header: decodeProtectedHeader(proof) };
}

describe('P36 a proof of possession', () => {
  it('is signed with the key whose public half it shows, for one request and one use', async () => {
    const key = await generateSigningKey('ES256');
    const nonces = new DpopNonces();
    const before = Math.floor(Date.now() / 1000);
    const proof = await dpopProof({ key, nonces }, { method: 'POST', url: URL_OF_TOKEN });
    const { payload, header } = await readProof(key, proof);
    assert.deepEqual(header, { typ: 'dpop+jwt', alg: 'ES256', jwk: publicJwk(key) });
    assert.ok(!JSON.stringify(header).includes('"d":'));
    const { jti, iat, ...rest } = payload;
    assert.deepEqual(rest, { htm: 'POST', htu: 'https://as.example/token' });
    assert.ok(jti !== undefined && iat !== undefined && iat >= before && iat <= before + 60);
    const again = await readProof(key, await dpopProof({ key, nonces }, { method: 'POST', url: URL_OF_TOKEN }));
    assert.notEqual(again.payload.jti, jti);
  });

  it('is bound to the token that goes with it, and to the nonce of its server', async () => {
    const key = await generateSigningKey('EdDSA');
    const nonces = new DpopNonces();
    nonces.note('https://as.example/other', 'n1');
    // Enough tokens that their hashes have every character of base64 that a URL may not have.
    for (const accessToken of Array.from({ length: 20 }, (_, index) => `token ${index}`)) {
      const request = { method: 'GET', url: URL_OF_TOKEN, accessToken };
      const { payload } = await readProof(key, await dpopProof({ key, nonces }, request));
      assert.equal(payload['ath'], createHash('sha256').update(accessToken).digest('base64url'));
      assert.equal(payload['nonce'], 'n1');
    }
    const elsewhere = { method: 'GET', url: 'https://other.example/' };
    assert.ok(!('nonce' in (await readProof(key, await dpopProof({ key, nonces }, elsewhere))).payload));
  });

  it('keeps the last nonce of each server, and knows a new one', () => {
    const nonces = new DpopNonces();
    assert.equal(nonces.for(URL_OF_TOKEN), undefined);
    assert.equal(nonces.note(URL_OF_TOKEN, null), false);
    assert.equal(nonces.note(URL_OF_TOKEN, ''), false);
    assert.equal(nonces.for(URL_OF_TOKEN), undefined);
    assert.equal(nonces.note(URL_OF_TOKEN, 'one'), true);
    assert.equal(nonces.note('https://as.example/other', 'one'), false);
    assert.equal(nonces.note('https://as.example:8443/', 'two'), true);
    assert.equal(nonces.for('https://as.example/'), 'one');
    assert.equal(nonces.note(URL_OF_TOKEN, 'three'), true);
    assert.equal(nonces.for('https://as.example/'), 'three');
  });

  it('names its key by the thumbprint of RFC 7638', async () => {
    // The example of RFC 7638 section 3.1, as a key pair: private members do not count.
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const key = { algorithm: 'RS256', jwk: { kty: 'RSA', n, e: 'AQAB', d: 'private', kid: '2011-04-29' } };
    assert.equal(await thumbprint(key), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });
});
