import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ByteReader } from './byteReader.ts';

const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
const VERSION_BYTES = 2;

/** Of this handshake itself, which stays as it is for ever: it is how windows of different versions talk. */
const CONTEXT = 'scopekeeper window handshake 1\0';

/** Strangers knock too, so the owner does not wait for long; a guest that was held up knocks again. */
const GUEST_ANSWERS_MS = 2000;
/** Other extensions hold up the owner's host for seconds, above all when several windows start. */
const OWNER_ANSWERS_MS = 10_000;
const KEY_TIMEOUT_MS = 20_000;

export type HandshakeOutcome =
  /** The other side knows the key. `version` is the protocol that it speaks. */
  | { readonly type: 'proved'; readonly version: number }
  /** It closed the connection before it could prove anything. */
  | { readonly type: 'closed' }
  /** It does not know the key, or does not speak this handshake, or took too long. */
  | { readonly type: 'refused' };

export interface HandshakeOptions {
  /** The port of the owner, as this side knows it: a relay from another port fails. */
  readonly port: number;
  /** The version of the protocol that this side speaks. */
  readonly version: number;
  /** How long each side waits for the other's next message. An owner waits 2 s by default, a guest 10 s. */
  readonly answerTimeoutMs?: number;
  /** How long a guest waits for the owner to have its key, for which a person may have to answer the keychain. 20 s by default. */
  readonly keyTimeoutMs?: number;
}

interface Proof {
  readonly role: 'guest' | 'owner';
  readonly ownerNonce: Buffer;
  readonly guestNonce: Buffer;
  readonly port: number;
  readonly guestVersion: number;
  /** A guest does not know it yet. */
  readonly ownerVersion?: number;
}

/** HMAC-SHA256 over all that the two sides have to agree on, each of a fixed length. */
function proofOf(key: Buffer, { role, ownerNonce, guestNonce, port, guestVersion, ownerVersion = 0 }: Proof): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(port, 0);
  numbers.writeUInt16BE(guestVersion, 2);
  numbers.writeUInt16BE(ownerVersion, 4);
  const hmac = createHmac('sha256', key).update(CONTEXT).update(`${role}\0`);
  return hmac.update(ownerNonce).update(guestNonce).update(numbers).digest();
}

/**
 * The owner's side: gives nothing but a nonce before the guest has proved itself, then proves itself.
 * @param keys by any of which the guest may prove itself; there are two while a keychain comes and goes
 */
export async function proveAsOwner(
  reader: ByteReader,
  keys: readonly Buffer[],
  { port, version, answerTimeoutMs = GUEST_ANSWERS_MS }: HandshakeOptions,
): Promise<HandshakeOutcome> {
  const ownerNonce = randomBytes(NONCE_BYTES);
  reader.stream.write(ownerNonce);
  const hello = await readInTime(reader, VERSION_BYTES + NONCE_BYTES + PROOF_BYTES, answerTimeoutMs);
  if (hello.type !== 'read') return hello;
  const guestVersion = hello.bytes.readUInt16BE(0);
  const guestNonce = hello.bytes.subarray(VERSION_BYTES, VERSION_BYTES + NONCE_BYTES);
  const proof = hello.bytes.subarray(VERSION_BYTES + NONCE_BYTES);
  const said = { ownerNonce, guestNonce, port, guestVersion };
  const key = keys.find((one) => timingSafeEqual(proof, proofOf(one, { ...said, role: 'guest' })));
  // Who goes on before the owner has proved itself speaks another protocol.
  if (key === undefined || reader.unread > 0) return { type: 'refused' };
  const numbers = Buffer.alloc(VERSION_BYTES);
  numbers.writeUInt16BE(version);
  reader.stream.write(Buffer.concat([numbers, proofOf(key, { ...said, role: 'owner', ownerVersion: version })]));
  return { type: 'proved', version: guestVersion };
}

/**
 * The guest's side: sends nothing but its proof before the owner has proved itself.
 * @param keyNow gives the key once the owner has it; what it throws is passed on
 */
export async function proveAsGuest(
  reader: ByteReader,
  keyNow: () => Promise<Buffer>,
  { port, version, answerTimeoutMs = OWNER_ANSWERS_MS, keyTimeoutMs = KEY_TIMEOUT_MS }: HandshakeOptions,
): Promise<HandshakeOutcome> {
  const nonce = await readInTime(reader, NONCE_BYTES, keyTimeoutMs);
  if (nonce.type !== 'read') return nonce;
  const key = await keyNow();
  const guestNonce = randomBytes(NONCE_BYTES);
  const said = { ownerNonce: nonce.bytes, guestNonce, port, guestVersion: version };
  const numbers = Buffer.alloc(VERSION_BYTES);
  numbers.writeUInt16BE(version);
  reader.stream.write(Buffer.concat([numbers, guestNonce, proofOf(key, { ...said, role: 'guest' })]));
  const answer = await readInTime(reader, VERSION_BYTES + PROOF_BYTES, answerTimeoutMs);
  // An owner that does not believe us closes without a word, and so does one that ends just now: trying again tells.
  if (answer.type !== 'read') return answer;
  const ownerVersion = answer.bytes.readUInt16BE(0);
  const expected = proofOf(key, { ...said, role: 'owner', ownerVersion });
  const isProved = timingSafeEqual(answer.bytes.subarray(VERSION_BYTES), expected);
  return isProved ? { type: 'proved', version: ownerVersion } : { type: 'refused' };
}

/** Reads so many bytes; one that takes too long is cut off. */
export async function readInTime(
  reader: ByteReader,
  length: number,
  timeoutMs = OWNER_ANSWERS_MS,
): Promise<{ readonly type: 'read'; readonly bytes: Buffer } | Exclude<HandshakeOutcome, { type: 'proved' }>> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.stream.destroy();
  }, timeoutMs);
  try {
    const bytes = await reader.read(length);
    if (bytes !== undefined) return { type: 'read', bytes };
    return { type: isLate ? 'refused' : 'closed' };
  } finally {
    clearTimeout(timer);
  }
}
