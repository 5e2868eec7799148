import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AdapterPayload, JWK } from 'oidc-provider';
import * as v from 'valibot';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const entrySchema = v.object({
  /** Milliseconds since the epoch; never, when left out. */
  expiresAt: v.exactOptional(v.number()),
  payload: v.custom<AdapterPayload>(isRecord),
});

const stateSchema = v.object({
  version: v.literal(1),
  signingKey: v.custom<JWK>(isRecord),
  cookieKeys: v.pipe(v.array(v.string()), v.minLength(1)),
  entries: v.record(v.string(), entrySchema),
});

type Entry = v.InferOutput<typeof entrySchema>;

/** All that the sample authorization server has to remember: its keys, clients, grants and tokens. */
export interface SampleState {
  readonly signingKey: JWK;
  readonly cookieKeys: readonly string[];
  /** By `Model:id`. */
  readonly entries: Map<string, Entry>;
  /**
   * Resolves once what is in `entries` at the time of the call is on disk; at once without a file.
   * Calls made while a write is under way share the next one.
   */
  save(): Promise<void>;
}

/**
 * Loads the state from a JSON file, or makes a new one with fresh keys.
 * @param file left out, the state lives in memory only. A missing file is made, with its folder.
 * Throws when the file is there but holds something else.
 */
export async function loadState(file?: string): Promise<SampleState> {
  const stored = file === undefined ? undefined : await readStored(file);
  const signingKey = stored?.signingKey ?? (await newSigningKey());
  const cookieKeys = stored?.cookieKeys ?? [randomBytes(32).toString('base64url')];
  const entries = new Map(Object.entries(stored?.entries ?? {}));

  const write = async (): Promise<void> => {
    if (file === undefined) return;
    const now = Date.now();
    for (const [key, { expiresAt }] of entries) if (expiresAt !== undefined && expiresAt <= now) entries.delete(key);
    const text = JSON.stringify({ version: 1, signingKey, cookieKeys, entries: Object.fromEntries(entries) });
    await mkdir(path.dirname(file), { recursive: true });
    // A reader, and a start after a crash, see the old or the new document.
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  };

  let running = Promise.resolve();
  let next: Promise<void> | undefined;
  const save = async (): Promise<void> => {
    if (file === undefined) return;
    next ??= (async () => {
      // A failed write was thrown to those who waited for it; it does not stop the next one.
      await running.catch(() => undefined);
      next = undefined;
      running = write();
      await running;
    })();
    await next;
  };

  if (stored === undefined) await save();
  return { signingKey, cookieKeys, entries, save };
}

async function readStored(file: string): Promise<v.InferOutput<typeof stateSchema> | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), text);
  if (!result.success) throw new Error(`The sample server's state cannot be read, delete it to start afresh: ${file}`);
  return result.output;
}

/** An ES256 key: made in a millisecond, where RSA takes a noticeable part of a second. */
async function newSigningKey(): Promise<JWK> {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y, d } = await webcrypto.subtle.exportKey('jwk', pair.privateKey);
  return v.parse(v.custom<JWK>(isRecord), { kty, crv, x, y, d, alg: 'ES256', use: 'sig' });
}
