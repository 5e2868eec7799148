import type { Duplex } from 'node:stream';
import { describeError } from '../connections/errors.ts';
import type { Log } from '../connections/ports.ts';
import { ByteReader } from './byteReader.ts';
import { UPGRADE_ANSWER } from './greeting.ts';
import { proveAsOwner } from './handshake.ts';

export interface GuestDoorParts {
  /** The keys by which a guest may prove itself. */
  readonly keys: () => Promise<readonly Buffer[]>;
  /** Takes a guest that has proved itself and speaks our protocol. */
  readonly onGuest: (reader: ByteReader) => void;
  /** A guest that has proved itself speaks a newer protocol: this window has to give way. */
  readonly onNewerGuest: () => void;
  readonly log: Log;
  /** The protocol that this window speaks. */
  readonly version: number;
}

/** So many may be at the door at once without having proved themselves; five windows that start together fit. */
const UNPROVED_AT_MOST = 8;

/** Where the owner lets other windows of this user in, and nobody else. */
export class GuestDoor {
  readonly #parts: GuestDoorParts;
  #unproved = 0;
  /** Those that have been asked who they are, in that order. */
  readonly #asked = new Set<Duplex>();

  constructor(parts: GuestDoorParts) {
    this.#parts = parts;
  }

  /** Takes a connection that asked to be upgraded, and asks who it is. Never throws. */
  accept(stream: Duplex, port: number): void {
    if (this.#unproved >= UNPROVED_AT_MOST) {
      // A window answers at once. So whoever has had the most time for it goes: strangers who come back as often as they
      // like keep nobody out. While the owner itself still waits for its keys, nobody has had any.
      const [slowest] = this.#asked;
      (slowest ?? stream).destroy();
      if (slowest === undefined) return;
      this.#asked.delete(slowest);
    }
    this.#unproved += 1;
    void this.#prove(new ByteReader(stream), port)
      .catch((error: unknown) => {
        this.#parts.log.warn(`A window could not be let in: ${describeError(error)}`);
        stream.destroy();
      })
      .finally(() => {
        this.#unproved -= 1;
      });
  }

  async #prove(reader: ByteReader, port: number): Promise<void> {
    const { stream } = reader;
    const { keys, log, onGuest, onNewerGuest, version } = this.#parts;
    stream.write(UPGRADE_ANSWER);
    const known = await keys();
    this.#asked.add(stream);
    const outcome = await proveAsOwner(reader, known, { port, version }).finally(() => this.#asked.delete(stream));
    if (outcome.type !== 'proved') {
      if (outcome.type === 'refused') log.warn('A program that is no window of this user asked for the connections.');
      stream.destroy();
    } else if (outcome.version === version) {
      onGuest(reader);
    } else {
      // It reads our version from our proof. A newer one waits until this connection ends, and with it the port is free.
      if (outcome.version > version) onNewerGuest();
      else stream.end();
    }
  }
}
