import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Which of a pair a token is. */
export type TokenType = 'access' | 'refresh';

/** By what a person, or a scanner for secrets, knows a token of ours. It tells nothing of the secret. */
export const TOKEN_PREFIXES: Readonly<Record<TokenType, string>> = { access: 'skg_a_', refresh: 'skg_r_' };

/** Over another text the same key gives nothing that could be taken for a token. */
const CONTEXT = 'scopekeeper gateway token 1';
const TOKEN_BYTES = 32;

/** A new token of 256 random bits. */
export function newToken(type: TokenType): string {
  return TOKEN_PREFIXES[type] + randomBytes(TOKEN_BYTES).toString('base64url');
}

/** What is stored of a token: its SHA-256 as hex, as version 1 of the registry has it (P41, P42). */
export function hashOf(token: string): string {
  return hash('sha256', token);
}

/** Compares two hashes of {@link hashOf} in constant time (P41). */
export function isSameHash(one: string, other: string): boolean {
  const bytes = Buffer.from(one, 'hex');
  const otherBytes = Buffer.from(other, 'hex');
  return bytes.length === otherBytes.length && timingSafeEqual(bytes, otherBytes);
}

/**
 * The token that follows on the refresh token that was presented (P41): whoever presents the same one again gets the
 * same, although it is stored nowhere, and nobody without the key can tell it from the one before.
 * @param key 256 bits as base64url
 * @param generation of the successor
 */
export function successorToken(key: string, presented: string, generation: number, type: TokenType): string {
  return TOKEN_PREFIXES[type] + mac(key, ['successor', type, String(generation), presented]);
}

/** The token by which the editor itself uses the access of this id: the same each time, and stored nowhere. */
export function editorTokenOf(key: string, accessId: string): string {
  return TOKEN_PREFIXES.access + mac(key, ['editor', accessId]);
}

function mac(key: string, parts: readonly string[]): string {
  // JSON keeps the parts apart, whatever is in them.
  const text = JSON.stringify([CONTEXT, ...parts]);
  return createHmac('sha256', Buffer.from(key, 'base64url')).update(text).digest('base64url');
}
