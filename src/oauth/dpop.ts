import { SignJWT } from 'jose';
import { privateCryptoKey, publicJwk, type SigningKey } from './signingKey.ts';

/** The nonces that servers demand of the next proof (RFC 9449 sections 8 and 9), the last one of each origin. */
export class DpopNonces {
  readonly #byOrigin = new Map<string, string>();

  /** The nonce for a request to `url`, if its server has given one. */
  for(url: string): string | undefined {
    return this.#byOrigin.get(new URL(url).origin);
  }

  /** Keeps what an answer's `DPoP-Nonce` header says. Gives whether that is another nonce than before. */
  note(url: string, nonce: string | null): boolean {
    const { origin } = new URL(url);
    if (nonce === null || nonce === '' || this.#byOrigin.get(origin) === nonce) return false;
    this.#byOrigin.set(origin, nonce);
    return true;
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
  /** The token that is sent with the request; undefined at the token endpoint. */
  readonly accessToken?: string;
}

/** Makes the `DPoP` header of one request: a proof is good for one use (RFC 9449 section 4.2). */
export async function dpopProof({ key, nonces }: Dpop, request: ProvenRequest): Promise<string> {
  const { accessToken } = request;
  const url = new URL(request.url);
  const nonce = nonces.for(request.url);
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
