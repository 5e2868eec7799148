import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What a sealed text begins with; another form gets another one. */
const MARK = 'scopekeeper-sealed-1:';

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
  return MARK + Buffer.concat(parts).toString('base64url');
}

/** The text; undefined when the key or the context is another, or anything of it was changed. */
export function unseal(key: string, context: string, sealed: string): string | undefined {
  if (!sealed.startsWith(MARK)) return undefined;
  const packed = sealed.slice(MARK.length);
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
