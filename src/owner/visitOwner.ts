import { isConnectionError } from '../connections/errors.ts';
import { attachToOwner, type AttachParts } from './attachToOwner.ts';
import { knock, peek } from './knock.ts';
import type { GuestKey } from './windowKey.ts';
import type { Visit } from './windowRole.ts';

export interface VisitParts extends Omit<AttachParts, 'windowName' | 'focusedAt'> {
  readonly key: GuestKey;
  readonly windowName: () => string;
  readonly focusedAt: () => number | undefined;
  readonly version: number;
}

/**
 * Asks the holder of the port for its connections. Throws what the keychain says when it does not give the key, and
 * `unexpected` when the owner says what no owner should.
 * @param signal leaves, also later
 */
export async function visitOwner(port: number, parts: VisitParts, signal?: AbortSignal): Promise<Visit> {
  const { focusedAt, key, version, windowName, ...rest } = parts;
  const where = { port, ...(signal !== undefined && { signal }) };
  // A keychain may ask the person something, each time that this is tried again: a stranger is no reason for that.
  if (key.known === undefined) {
    const holder = await peek(where);
    if (holder !== 'greeted') return { type: holder };
  }
  const knocked = await knock({ ...where, version, keyNow: await key.look() });
  switch (knocked.type) {
    case 'gone':
    case 'stranger':
      return knocked;
    case 'newer':
      return { type: 'outdated' };
    case 'older':
      // The owner ends all connections after it has released the port.
      return { type: 'yielding', released: knocked.reader.read(1).then(() => undefined) };
    case 'owner':
      try {
        const link = await attachToOwner(knocked.reader, {
          ...rest,
          windowName: windowName(),
          focusedAt: focusedAt(),
        });
        return { type: 'attached', link };
      } catch (error) {
        knocked.reader.stream.destroy();
        // It proved that it is the owner, and has ended since.
        if (isConnectionError(error, 'owner_gone')) return { type: 'gone' };
        throw error;
      }
  }
}
