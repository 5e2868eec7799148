import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What a sealed text begins with; another form gets another one. */
const MARK = 'scopekeeper-sealed-2:';
/** The same of an older form, which does not tell its key. */
const OLD_MARK = 'scopekeeper-sealed-1:';

/**
 * Seals a text with AES-256-GCM under a random nonce.
 * @param key 256 bits as base64url
 * @param context what the text is about. It is not in the sealed text, and whoever opens it has to name the same, so
 * that no sealed text can be passed for another.
 */
export function seal(key: string, context: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, Buffer.from(key, 'base64url'), nonce);
  cipher.setAAD(Buffer.from(context));
  const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return markOf(key) + Buffer.concat(parts).toString('base64url');
}

/**
 * Whether a text that does not open may open with another key: it names another one, or is of the older form, which
 * names none. One that names this key, or is not sealed at all, is broken, or was not written to its end.
 */
export function isOfAnotherKey(key: string, sealed: string): boolean {
  if (sealed.startsWith(OLD_MARK)) return true;
  const mark = markOf(key);
  return sealed.length >= mark.length && sealed.startsWith(MARK) && !sealed.startsWith(mark);
}

/** The beginning of what is sealed with a key. A hash tells nothing of 256 random bits. */
function markOf(key: string): string {
  return `${MARK}${createHash('sha256').update(key).digest('base64url').slice(0, 12)}:`;
}

/** The text; undefined when the key or the context is another, or anything of it was changed. */
export function unseal(key: string, context: string, sealed: string): string | undefined {
  const mark = [markOf(key), OLD_MARK].find((beginning) => sealed.startsWith(beginning));
  if (mark === undefined) return undefined;
  const packed = sealed.slice(mark.length);
  const bytes = Buffer.from(packed, 'base64url');
  // Decoding skips what is not base64url: only what was written is read.
  if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== packed) return undefined;
  const decipher = createDecipheriv(CIPHER, Buffer.from(key, 'base64url'), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
