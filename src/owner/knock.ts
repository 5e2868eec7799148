import { once } from 'node:events';
import { connect } from 'node:net';
import { ByteReader } from './byteReader.ts';
import { UPGRADE_ANSWER, upgradeRequest } from './greeting.ts';
import { type HandshakeOptions, proveAsGuest, readInTime } from './handshake.ts';

export interface KnockOptions extends HandshakeOptions {
  /** Gives the key once the owner has it. */
  readonly keyNow: () => Promise<Buffer>;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

export type Knocked =
  /** The owner of this user, which speaks our protocol. */
  | { readonly type: 'owner'; readonly reader: ByteReader }
  /** It speaks an older protocol, and gives way: the port is free when the connection has ended. */
  | { readonly type: 'older'; readonly reader: ByteReader }
  /** It speaks a newer protocol. */
  | { readonly type: 'newer' }
  /** Nobody is there, or somebody who ends just now. */
  | { readonly type: 'gone' }
  | { readonly type: 'stranger' };

/** Asks who holds the port, and proves who we are. Throws what `keyNow` throws. */
export async function knock(options: KnockOptions): Promise<Knocked> {
  const { answerTimeoutMs, keyNow, port, signal } = options;
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, ...(signal !== undefined && { signal }) });
  try {
    await once(socket, 'connect');
  } catch {
    return { type: 'gone' };
  }
  const reader = new ByteReader(socket);
  socket.write(upgradeRequest(port));
  try {
    const answer = await readInTime(reader, Buffer.byteLength(UPGRADE_ANSWER), answerTimeoutMs);
    if (answer.type === 'closed') return end(reader, 'gone');
    if (answer.type === 'refused' || answer.bytes.toString('latin1') !== UPGRADE_ANSWER) return end(reader, 'stranger');
    const outcome = await proveAsGuest(reader, keyNow, options);
    if (outcome.type !== 'proved') return end(reader, outcome.type === 'closed' ? 'gone' : 'stranger');
    if (outcome.version === options.version) return { type: 'owner', reader };
    return outcome.version < options.version ? { type: 'older', reader } : end(reader, 'newer');
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function end<T extends 'gone' | 'stranger' | 'newer'>(reader: ByteReader, type: T): { readonly type: T } {
  reader.stream.destroy();
  return { type };
}
