import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  importPKCS8,
  type CryptoKey,
  type JWK,
} from 'jose';
import { OAuthError } from './errors.ts';

/** A private key that signs JWTs, in the form in which it is stored (RFC 7517). A secret: it lives in the keychain only. */
export interface SigningKey {
  /** A JWS algorithm (RFC 7518 section 3.1, RFC 8037), e.g. `ES256`. */
  readonly algorithm: string;
  readonly jwk: Readonly<Record<string, string>>;
}

/** The asymmetric algorithms that keys are made for and taken for, the preferred first. */
const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256', 'PS384', 'RS384', 'PS512', 'RS512'] as const;

/** The public members of a key, by its type (RFC 7518 section 6, RFC 8037). */
const PUBLIC_MEMBERS = new Set(['kty', 'crv', 'x', 'y', 'n', 'e']);

/** The first of our algorithms that a server lists; the preferred one when it lists none; undefined when none fits. */
export function chooseAlgorithm(supported: readonly string[] | undefined): string | undefined {
  return supported === undefined ? ALGORITHMS[0] : ALGORITHMS.find((algorithm) => supported.includes(algorithm));
}

/** Makes a new key for an algorithm of {@link chooseAlgorithm}. */
export async function generateSigningKey(algorithm: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { algorithm, jwk: textMembers(await exportJWK(privateKey)) };
}

/**
 * Reads a private key as a person has it: PEM (PKCS #8) or a JWK as JSON.
 * @param supported the algorithms that the server takes, if it says so; the first that fits the key is chosen.
 * Throws `signing_key_invalid`; the text is in neither message nor cause.
 */
export async function readSigningKey(text: string, supported?: readonly string[]): Promise<SigningKey> {
  const trimmed = text.trim();
  const candidates = ALGORITHMS.filter((algorithm) => supported?.includes(algorithm) ?? true);
  if (candidates.length === 0) throw new OAuthError('signing_key_invalid', { problem: 'algorithm' });
  const jwk = trimmed.startsWith('{') ? parseJwk(trimmed) : undefined;
  if (jwk === undefined && !trimmed.includes('-----BEGIN PRIVATE KEY-----')) {
    throw new OAuthError('signing_key_invalid', {
      problem: trimmed.includes('-----BEGIN') ? 'not_pkcs8' : 'not_a_key',
    });
  }
  for (const algorithm of candidates) {
    if (jwk?.['alg'] !== undefined && jwk['alg'] !== algorithm) continue;
    const key = await tryImport(trimmed, jwk, algorithm);
    if (key !== undefined) return { algorithm, jwk: textMembers(key) };
  }
  throw new OAuthError('signing_key_invalid', { problem: 'algorithm' });
}

/** The key in the form in which it signs. */
export async function privateCryptoKey({ algorithm, jwk }: SigningKey): Promise<CryptoKey> {
  const key = await importJWK({ ...jwk, kty: jwk['kty'] ?? '' }, algorithm, { extractable: false });
  if (key instanceof Uint8Array) throw new OAuthError('signing_key_invalid', { problem: 'not_a_key' });
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

function parseJwk(text: string): Record<string, string> {
  try {
    const document: unknown = JSON.parse(text);
    const jwk = textMembers(document);
    if (jwk['kty'] !== undefined && jwk['kty'] !== 'oct' && jwk['d'] !== undefined) return jwk;
  } catch {
    // Told below: a parser's message would repeat a part of the key.
  }
  throw new OAuthError('signing_key_invalid', { problem: 'not_a_key' });
}

async function tryImport(
  text: string,
  jwk: Readonly<Record<string, string>> | undefined,
  algorithm: string,
): Promise<JWK | undefined> {
  try {
    if (jwk === undefined) return await exportJWK(await importPKCS8(text, algorithm, { extractable: true }));
    const key = await importJWK({ ...jwk, kty: jwk['kty'] ?? '' }, algorithm, { extractable: true });
    return await exportJWK(key);
  } catch {
    return undefined;
  }
}

/** The members that are texts; those of a key all are. */
function textMembers(value: unknown): Record<string, string> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(entries.flatMap(([name, member]) => (typeof member === 'string' ? [[name, member]] : [])));
}
