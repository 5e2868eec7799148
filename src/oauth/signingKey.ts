import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  importPKCS8,
  SignJWT,
} from 'jose';
import { OAuthError, type OAuthErrorDetails } from './errors.ts';

/** A private key that signs JWTs, in the form in which it is stored (RFC 7517). A secret: it lives in the keychain only. */
export interface SigningKey {
  /** A JWS algorithm (RFC 7518 section 3.1, RFC 8037), e.g. `ES256`. */
  readonly algorithm: string;
  readonly jwk: Readonly<Record<string, string>>;
}

/** The asymmetric algorithms that keys are made for and taken for, the preferred first. `Ed25519` is `EdDSA` in the words of RFC 9864. */
const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'PS256',
  'RS384',
  'PS384',
  'RS512',
  'PS512',
] as const;

const ALGORITHM_OF_CURVE: ReadonlyMap<string | undefined, string> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
]);

/** The public members of a key, by its type (RFC 7518 section 6, RFC 8037). */
const PUBLIC_MEMBERS = new Set(['kty', 'crv', 'x', 'y', 'n', 'e']);
/** What else of a key is kept: its private members, its name at the server, and the one algorithm that it is for. */
const OTHER_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'kid', 'alg']);

/** 2048 bits in base64url: no RSA algorithm takes a shorter key (RFC 7518 section 3.3). */
const SHORTEST_RSA_MODULUS = 342;

const PKCS8_BLOCK = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/;
/** PKCS #1, SEC 1, OpenSSH's own, and what is locked by a passphrase. */
const OTHER_PRIVATE_BLOCK = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;

/** The first of our algorithms that a server lists; the preferred one when it lists none; undefined when none fits. */
export function chooseAlgorithm(supported: readonly string[] | undefined): string | undefined {
  return supported === undefined ? ALGORITHMS[0] : ALGORITHMS.find((algorithm) => supported.includes(algorithm));
}

/** Makes a new key for an algorithm of {@link chooseAlgorithm}. */
export async function generateSigningKey(algorithm: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { algorithm, jwk: keyMembers(await exportJWK(privateKey)) };
}

/**
 * Reads a private key as a person has it: PEM (PKCS #8), also with its line breaks as `\n`, or a JWK as JSON.
 * Which algorithm it signs with at a server is decided by {@link fitSigningKey} when that server is known.
 * Throws `signing_key_invalid`; the text is in neither message nor cause.
 */
export async function readSigningKey(text: string): Promise<SigningKey> {
  const jwk = text.trimStart().startsWith('{') ? parseJwk(text) : await parsePem(text);
  const [algorithm] = algorithmsOf(jwk);
  if (algorithm === undefined) throw invalidKey('algorithm');
  const key = { algorithm, jwk };
  try {
    await new SignJWT({}).setProtectedHeader({ alg: algorithm }).sign(await privateCryptoKey(key));
  } catch {
    // The cause is not kept: it may repeat a part of the key.
    throw invalidKey('not_a_key');
  }
  return key;
}

/**
 * The key with the first algorithm that it is good for and the server lists (RFC 8414
 * `token_endpoint_auth_signing_alg_values_supported`); as it is when the server lists none.
 * Throws `signing_key_invalid` when none fits.
 */
export function fitSigningKey(key: SigningKey, supported: readonly string[] | undefined): SigningKey {
  if (supported === undefined || supported.length === 0) return key;
  const algorithm = algorithmsOf(key.jwk).find((one) => supported.includes(one));
  if (algorithm === undefined) throw invalidKey('algorithm');
  return { ...key, algorithm };
}

/** The key in the form in which it signs. */
export async function privateCryptoKey({ algorithm, jwk }: SigningKey): Promise<CryptoKey> {
  const key = await importJWK({ ...jwk, kty: jwk['kty'] ?? '' }, algorithm, { extractable: false });
  if (key instanceof Uint8Array) throw invalidKey('not_a_key');
  return key;
}

/** The public half, as a JWK with its `alg`. */
export function publicJwk({ algorithm, jwk }: SigningKey): Readonly<Record<string, string>> {
  return { ...Object.fromEntries(Object.entries(jwk).filter(([name]) => PUBLIC_MEMBERS.has(name))), alg: algorithm };
}

/** The SHA-256 thumbprint of the public half (RFC 7638). */
export async function thumbprint(key: SigningKey): Promise<string> {
  return calculateJwkThumbprint({ ...publicJwk(key), kty: key.jwk['kty'] ?? '' });
}

/** The algorithms that a key is good for, the preferred first; those of a key that is meant for one are that one. */
function algorithmsOf({ kty, crv, n = '', alg }: Readonly<Record<string, string>>): readonly string[] {
  if (kty === 'OKP') return crv === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [];
  const fitting =
    kty === 'RSA'
      ? ALGORITHMS.filter((one) => /^[RP]S/.test(one) && n.length >= SHORTEST_RSA_MODULUS)
      : ALGORITHMS.filter((one) => kty === 'EC' && one === ALGORITHM_OF_CURVE.get(crv));
  return fitting.filter((one) => alg === undefined || alg === one);
}

function parseJwk(text: string): Readonly<Record<string, string>> {
  try {
    const jwk = keyMembers(JSON.parse(text));
    if (jwk['kty'] !== undefined && jwk['kty'] !== 'oct' && jwk['d'] !== undefined) return jwk;
  } catch {
    // Told below: a parser's message would repeat a part of the key.
  }
  throw invalidKey('not_a_key');
}

async function parsePem(text: string): Promise<Readonly<Record<string, string>>> {
  // As it stands in JSON files and environment variables.
  const pem = text.replaceAll(String.raw`\n`, '\n');
  const block = PKCS8_BLOCK.exec(pem)?.[0];
  if (block === undefined) throw invalidKey(OTHER_PRIVATE_BLOCK.test(pem) ? 'not_pkcs8' : 'not_a_key');
  // One algorithm for each type of key, which does not say of itself what it is.
  for (const algorithm of ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256']) {
    try {
      return keyMembers(await exportJWK(await importPKCS8(block, algorithm, { extractable: true })));
    } catch {
      // Then it is of another type.
    }
  }
  throw invalidKey(isWholeSequence(block) ? 'algorithm' : 'not_a_key');
}

/** Whether a PEM block holds one whole DER sequence: a key of a kind that we do not sign with. */
function isWholeSequence(block: string): boolean {
  let der: string;
  try {
    der = atob(block.replaceAll(/-----[^-]+-----|\s/g, ''));
  } catch {
    return false;
  }
  const at = (index: number): number => der.charCodeAt(index);
  if (at(0) !== 0x30) return false;
  if (at(1) < 0x80) return der.length === 2 + at(1);
  const lengthBytes = at(1) - 0x80;
  const length = Array.from({ length: lengthBytes }, (_, index) => at(2 + index)).reduce((sum, b) => sum * 256 + b, 0);
  return der.length === 2 + lengthBytes + length;
}

function invalidKey(problem: OAuthErrorDetails['signing_key_invalid']['problem']): OAuthError {
  return new OAuthError('signing_key_invalid', { problem });
}

/** The members of a JWK that are of use; those of a key are all texts. */
function keyMembers(value: unknown): Readonly<Record<string, string>> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.flatMap(([name, member]) =>
      typeof member === 'string' && (PUBLIC_MEMBERS.has(name) || OTHER_MEMBERS.has(name)) ? [[name, member]] : [],
    ),
  );
}
