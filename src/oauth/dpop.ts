import { SignJWT } from 'jose';
import { privateCryptoKey, publicJwk, type SigningKey } from './signingKey.ts';

/** What a nonce is made of (RFC 9449 section 8.1); one that is longer is no nonce, but something to fill our memory with. */
const NONCE = /^[\x21\x23-\x5B\x5D-\x7E]{1,2048}$/;
/** More origins than any person has connections; the one that is longest without a new nonce gives way. */
const MOST_ORIGINS = 200;

/** The nonces that servers demand of the next proof (RFC 9449 sections 8 and 9), the last one of each origin. */
export class DpopNonces {
  readonly #byOrigin = new Map<string, string>();

  /** The nonce for a request to `url`, if its server has given one. */
  for(url: string): string | undefined {
    return this.#byOrigin.get(new URL(url).origin);
  }

  /** Keeps what an answer's `DPoP-Nonce` header says, if it is a nonce. */
  note(url: string, nonce: string | null): void {
    if (nonce === null || !NONCE.test(nonce)) return;
    const { origin } = new URL(url);
    this.#byOrigin.delete(origin);
    this.#byOrigin.set(origin, nonce);
    const [oldest] = this.#byOrigin.keys();
    if (oldest !== undefined && this.#byOrigin.size > MOST_ORIGINS) this.#byOrigin.delete(oldest);
  }
}

/** What requests to an authorization server prove possession of. */
export interface Dpop {
  readonly key: SigningKey;
  readonly nonces: DpopNonces;
}

export interface ProvenRequest {
  readonly method: string;
  readonly url: string;
  /** The nonce that its server demands, as {@link DpopNonces.for} knows it. */
  readonly nonce: string | undefined;
  /** The token that is sent with the request; undefined at the token endpoint. */
  readonly accessToken?: string;
}

/**
 * Makes the `DPoP` header of one request: a proof is good for one use (RFC 9449 section 4.2).
 * Its `iat` is the machine's own time, like that of the library's client assertions: a server to which that
 * matters too much has nonces.
 */
export async function dpopProof(key: SigningKey, request: ProvenRequest): Promise<string> {
  const { accessToken, nonce } = request;
  const url = new URL(request.url);
  return new SignJWT({
    htm: request.method,
    // Without query and fragment.
    htu: `${url.origin}${url.pathname}`,
    ...(nonce !== undefined && { nonce }),
    ...(accessToken !== undefined && { ath: await sha256(accessToken) }),
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: key.algorithm, jwk: publicJwk(key) })
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .sign(await privateCryptoKey(key));
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
