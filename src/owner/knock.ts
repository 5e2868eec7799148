import { once } from 'node:events';
import { connect } from 'node:net';
import { addAbortSignal } from 'node:stream';
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

/** What the holder of the port says to our request. */
type Greeted =
  | { readonly type: 'greeted'; readonly reader: ByteReader }
  | { readonly type: 'gone' }
  | { readonly type: 'stranger' };

type GreetOptions = Pick<KnockOptions, 'answerTimeoutMs' | 'port' | 'signal'>;

/** Asks who holds the port, and proves who we are. Throws what `keyNow` throws. */
export async function knock(options: KnockOptions): Promise<Knocked> {
  const greeted = await greet(options);
  if (greeted.type !== 'greeted') return greeted;
  const { reader } = greeted;
  try {
    const outcome = await proveAsGuest(reader, options.keyNow, options);
    if (outcome.type !== 'proved') return end(reader, outcome.type === 'closed' ? 'gone' : 'stranger');
    if (outcome.version === options.version) return { type: 'owner', reader };
    return outcome.version < options.version ? { type: 'older', reader } : end(reader, 'newer');
  } catch (error) {
    reader.stream.destroy();
    throw error;
  }
}

/** Whether the holder of the port answers as an owner does, which proves nothing. */
export async function peek(options: GreetOptions): Promise<Greeted['type']> {
  const greeted = await greet(options);
  if (greeted.type === 'greeted') greeted.reader.stream.destroy();
  return greeted.type;
}

async function greet({ answerTimeoutMs, port, signal }: GreetOptions): Promise<Greeted> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  // Not as an option of `connect`: that leaves its listener at the signal, one for each time that we knock.
  if (signal !== undefined) addAbortSignal(signal, socket);
  try {
    await once(socket, 'connect');
  } catch {
    return { type: 'gone' };
  }
  const reader = new ByteReader(socket);
  socket.write(upgradeRequest(port));
  const answer = await readInTime(reader, Buffer.byteLength(UPGRADE_ANSWER), answerTimeoutMs);
  if (answer.type === 'closed') return end(reader, 'gone');
  if (answer.type === 'refused' || answer.bytes.toString('latin1') !== UPGRADE_ANSWER) return end(reader, 'stranger');
  return { type: 'greeted', reader };
}

function end<T extends 'gone' | 'stranger' | 'newer'>(reader: ByteReader, type: T): { readonly type: T } {
  reader.stream.destroy();
  return { type };
}
