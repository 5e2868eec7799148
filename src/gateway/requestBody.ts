import type { IncomingMessage } from 'node:http';

/** What there is of a request's body. */
export type TakenBody =
  | { readonly type: 'whole'; readonly body: Buffer }
  /** It is longer than what is kept; nothing was taken, and the request is to be read as a stream. */
  | { readonly type: 'long' }
  /** Its sender has gone. */
  | { readonly type: 'broken' };

/** Whether a request has a body (RFC 9112 section 6). */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/**
 * Takes a request's body whole, up to `limitBytes`. Never rejects; how long it may take is the server's to bound.
 * @param request of which nothing was read yet.
 */
export async function takeBody(request: IncomingMessage, limitBytes: number): Promise<TakenBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= limitBytes) return;
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      request.pause();
      request.unshift(Buffer.concat(chunks, length));
      resolve({ type: 'long' });
    };
    const onEnd = (): void => {
      const [only] = chunks;
      const body = only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, length);
      resolve({ type: 'whole', body });
    };
    // After its end it says nothing new.
    const onClose = (): void => resolve({ type: 'broken' });
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}
