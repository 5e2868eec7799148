import type { IncomingMessage } from 'node:http';
import type { Clock } from '../connections/ports.ts';

/** What there is of a request's body. */
export type TakenBody =
  | { readonly type: 'whole'; readonly body: Buffer }
  /** It is longer than what is kept; nothing was taken, and the request is to be read as a stream. */
  | { readonly type: 'long' }
  /** Its sender has gone, or sent nothing for too long. */
  | { readonly type: 'broken' };

/** So long a client may pause within a body. */
const PAUSE_MS = 30_000;

const EMPTY: TakenBody = { type: 'whole', body: Buffer.alloc(0) };

/** Whether a request has a body (RFC 9112 section 6). */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/**
 * Takes a request's body whole, up to `limitBytes`. Never rejects.
 * @param request of which nothing was read yet.
 */
export async function takeBody(request: IncomingMessage, limitBytes: number, clock: Clock): Promise<TakenBody> {
  if (!hasBody(request)) return EMPTY;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let isPaused = true;
    // One timer that looks whether anything came, and not one for each piece.
    let timer = clock.after(PAUSE_MS, look);

    function settle(taken: TakenBody): void {
      timer.dispose();
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      resolve(taken);
    }
    function look(): void {
      if (isPaused) {
        settle({ type: 'broken' });
        return;
      }
      isPaused = true;
      timer = clock.after(PAUSE_MS, look);
    }
    function onData(chunk: Buffer): void {
      isPaused = false;
      chunks.push(chunk);
      length += chunk.length;
      if (length <= limitBytes) return;
      settle({ type: 'long' });
      request.pause();
      request.unshift(Buffer.concat(chunks, length));
    }
    function onEnd(): void {
      const [only] = chunks;
      settle({ type: 'whole', body: only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, length) });
    }
    function onClose(): void {
      settle({ type: 'broken' });
    }
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}
