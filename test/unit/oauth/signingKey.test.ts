import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { describe, it } from 'node:test';
import { importJWK, jwtVerify, SignJWT } from 'jose';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import {
  chooseAlgorithm,
  fitSigningKey,
  generateSigningKey,
  privateCryptoKey,
  publicJwk,
  readSigningKey,
  type SigningKey,
  thumbprint,
} from '../../../src/oauth/signingKey.ts';

const keys = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  Ed25519: generateKeyPairSync('ed25519').privateKey,
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
};

function pem(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string {
  return key.export({ type, format: 'pem' }).toString();
}

function jwk(key: KeyObject, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });
}

/** Signs with a key, and checks that with its public half. */
async function requireSigns(key: SigningKey): Promise<void> {
  const jwt = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: key.algorithm }).sign(await privateCryptoKey(key));
  const verified = await jwtVerify(jwt, await importJWK({ kty: '', ...publicJwk(key) }, key.algorithm));
  assert.equal(verified.payload['a'], 1);
}

function refusal(problem: string) {
  return (error: unknown): boolean => isOAuthError(error, 'signing_key_invalid') && error.details.problem === problem;
}

describe('reading a private key', () => {
  for (const [type, algorithm] of [
    ['P-256', 'ES256'],
    ['P-384', 'ES384'],
    ['P-521', 'ES512'],
    ['Ed25519', 'EdDSA'],
    ['RSA', 'RS256'],
  ] as const) {
    it(`RFC 7523 takes ${type} as PKCS #8, as it is copied, and as a JWK`, async () => {
      const text = pem(keys[type]);
      const bag = `Bag Attributes\n    friendlyName: key\n${text}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n`;
      const forms = [
        text,
        `\n  ${text}\n`,
        text.replaceAll('\n', '\r\n'),
        text.replaceAll('\n', String.raw`\n`),
        bag,
        jwk(keys[type]),
        ` ${jwk(keys[type])}\n`,
      ];
      for (const form of forms) {
        const read = await readSigningKey(form);
        assert.equal(read.algorithm, algorithm);
        assert.equal(await thumbprint(read), await thumbprint(await readSigningKey(text)));
        await requireSigns(read);
      }
    });
  }

  const rsa = keys.RSA;
  const ec = keys['P-256'];
  const truncated = pem(rsa).replace(/\n[^\n]+\n-----END/, '\n-----END');
  for (const [name, text, problem] of [
    ['PKCS #1', pem(rsa, 'pkcs1'), 'not_pkcs8'],
    ['SEC 1', pem(ec, 'sec1'), 'not_pkcs8'],
    [
      'encrypted PKCS #8',
      rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
      'not_pkcs8',
    ],
    ['OpenSSH', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----', 'not_pkcs8'],
    ['a public key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, 'not_a_key'],
    ['a truncated key', truncated, 'not_a_key'],
    ['no base64', '-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----', 'not_a_key'],
    ['an empty block', '-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----', 'not_a_key'],
    ['nothing', '', 'not_a_key'],
    ['a word', 'c2VjcmV0', 'not_a_key'],
    ['broken JSON', '{"kty":"EC","d":"c2VjcmV0"', 'not_a_key'],
    ['a JWK with members that are none', '{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"c2VjcmV0"}', 'not_a_key'],
    ['a JWK of no type', '{"d":"c2VjcmV0"}', 'not_a_key'],
    ['a public JWK', JSON.stringify(publicJwk({ algorithm: 'ES256', jwk: { kty: 'EC', x: 'a' } })), 'not_a_key'],
    ['a symmetric JWK', '{"kty":"oct","k":"c2VjcmV0","d":"x"}', 'not_a_key'],
    ['a JWK with a member missing', jwk(ec, { x: undefined }), 'not_a_key'],
    ['a JWK with a member that is no text', jwk(ec, { d: 7 }), 'not_a_key'],
    [
      'a curve that nobody signs with',
      pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey),
      'algorithm',
    ],
    ['a key for key agreement', pem(generateKeyPairSync('x25519').privateKey), 'algorithm'],
    ['a JWK for encryption', jwk(rsa, { alg: 'RSA-OAEP' }), 'algorithm'],
    ['an RSA key that is too short', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), 'algorithm'],
  ] as const) {
    it(`RFC 7523 refuses ${name}: ${problem}`, async () => {
      const given = typeof text === 'string' ? text : text.export({ type: 'spki', format: 'pem' }).toString();
      await assert.rejects(readSigningKey(given), (error) => {
        assert.ok(error instanceof Error && error.cause === undefined, 'a cause may hold the key');
        assert.ok(!`${error.message} ${error.stack ?? ''}`.includes('c2VjcmV0'));
        return refusal(problem)(error);
      });
    });
  }

  it('RFC 7517 keeps the name of a key and the algorithm that it is meant for, and nothing that is of no use', async () => {
    const read = await readSigningKey(jwk(rsa, { kid: 'k1', alg: 'PS384', use: 'sig', x5t: 'x', key_ops: ['sign'] }));
    assert.equal(read.algorithm, 'PS384');
    const { kid, alg, ...rest } = read.jwk;
    assert.deepEqual([kid, alg], ['k1', 'PS384']);
    assert.deepEqual(Object.keys(rest).toSorted(), ['d', 'dp', 'dq', 'e', 'kty', 'n', 'p', 'q', 'qi']);
  });
});

describe('P10 the algorithm of a key', () => {
  for (const [text, supported, expected] of [
    [pem(keys.RSA), undefined, 'RS256'],
    [pem(keys.RSA), [], 'RS256'],
    [pem(keys.RSA), ['PS256'], 'PS256'],
    [pem(keys.RSA), ['HS256', 'RS512'], 'RS512'],
    [pem(keys.RSA), ['PS256', 'RS256'], 'RS256'],
    [jwk(keys.RSA, { alg: 'PS256' }), ['PS256', 'RS256'], 'PS256'],
    [jwk(keys.RSA, { alg: 'PS256' }), ['RS256'], undefined],
    [pem(keys['P-256']), ['ES384', 'ES256'], 'ES256'],
    [pem(keys['P-256']), ['ES384', 'RS256'], undefined],
    [pem(keys.Ed25519), ['Ed25519'], 'Ed25519'],
    [jwk(keys.Ed25519, { alg: 'EdDSA' }), ['Ed25519'], 'Ed25519'],
    [pem(keys.Ed25519), ['Ed25519', 'EdDSA'], 'EdDSA'],
  ] as const) {
    it(`is ${expected ?? 'none'} of ${supported?.join(' ') ?? 'those not named'}`, async () => {
      const key = await readSigningKey(text);
      if (expected === undefined) {
        assert.throws(() => fitSigningKey(key, supported), refusal('algorithm'));
        return;
      }
      const fitted = fitSigningKey(key, supported);
      assert.equal(fitted.algorithm, expected);
      await requireSigns(fitted);
    });
  }

  it('of a new key is ES256 where that is taken, else one that is', async () => {
    assert.equal(chooseAlgorithm(undefined), 'ES256');
    assert.equal(chooseAlgorithm(['RS256', 'ES256']), 'ES256');
    assert.equal(chooseAlgorithm(['RS256', 'EdDSA']), 'EdDSA');
    assert.equal(chooseAlgorithm(['ES256K', 'HS256']), undefined);
    assert.equal(chooseAlgorithm([]), undefined);
    for (const algorithm of ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256']) {
      const key = await generateSigningKey(algorithm);
      assert.equal(key.algorithm, algorithm);
      await requireSigns(key);
    }
  });
});

describe('the public half of a key', () => {
  it('P36 has no private member, and no extractable key is made to sign with', async () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256']) {
      const key = await generateSigningKey(algorithm);
      const given = Object.keys(publicJwk(key));
      assert.ok(given.every((name) => ['kty', 'crv', 'x', 'y', 'n', 'e', 'alg'].includes(name)));
      const signing = await privateCryptoKey(key);
      assert.equal(signing.extractable, false);
      await assert.rejects(webcrypto.subtle.exportKey('jwk', signing));
    }
  });

  it('P10 a key that two share signs nothing', async () => {
    await assert.rejects(
      privateCryptoKey({ algorithm: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } }),
      refusal('not_a_key'),
    );
  });
});
