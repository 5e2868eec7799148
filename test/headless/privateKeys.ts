import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';

/** A key pair as a person has it who registered a client by hand. */
export interface PersonsKey {
  /** PKCS #8. */
  readonly pem: string;
  readonly jwk: JWK;
  readonly publicJwk: JWK;
}

function personsKey(privateKey: KeyObject): PersonsKey {
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    jwk: privateKey.export({ format: 'jwk' }),
    publicJwk: createPublicKey(privateKey).export({ format: 'jwk' }),
  };
}

export function ecKey(namedCurve: 'P-256' | 'P-384' = 'P-256'): PersonsKey {
  return personsKey(generateKeyPairSync('ec', { namedCurve }).privateKey);
}

export function rsaKey(): PersonsKey {
  return personsKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
}

export function ed25519Key(): PersonsKey {
  return personsKey(generateKeyPairSync('ed25519').privateKey);
}
