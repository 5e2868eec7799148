import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JSONWebKeySet } from 'jose';

/** Claims to put over the right ones; undefined leaves one out. */
type Claims = Readonly<Record<string, unknown>>;

/** A key that a client under test proves something with. */
export interface TestKey {
  /** The public half. */
  readonly jwks: JSONWebKeySet;
  /** The parameters that authenticate a client with `private_key_jwt`. */
  assertion(clientId: string, audience: string, claims?: Claims): Promise<Record<string, string>>;
  /** A DPoP proof for a request; `header` is put over the right one as well. */
  proof(method: string, url: string, claims?: Claims, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

export async function createTestKey(alg = 'ES256'): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  return {
    jwks: { keys: [{ ...jwk, alg }] },
    async assertion(clientId, audience, claims = {}) {
      const right = { iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), exp: inSeconds() + 60 };
      return {
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await new SignJWT({ ...right, ...claims }).setProtectedHeader({ alg }).sign(privateKey),
      };
    },
    async proof(method, url, claims = {}, header = {}) {
      const right = { htm: method, htu: url, jti: randomUUID(), iat: inSeconds() };
      const protectedHeader = { typ: 'dpop+jwt', alg, jwk, ...header };
      return new SignJWT({ ...right, ...claims }).setProtectedHeader(protectedHeader).sign(privateKey);
    },
  };
}

/** The `ath` of a proof. */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}

function inSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
