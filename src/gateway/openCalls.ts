import type { ConnectionId } from '../connections/connection.ts';
import type { Call } from './call.ts';
import type { LocalAccess } from './localAccess.ts';

/** By which access a call was let in, and where to. */
interface LetIn {
  readonly access: LocalAccess['id'];
  readonly connection: ConnectionId;
}

/** The calls that were let in and have not ended: a stream has no end of its own, when the access to it has. */
export class OpenCalls {
  readonly #calls = new Map<Call, LetIn>();

  add(call: Call, letIn: LetIn): void {
    this.#calls.set(call, letIn);
    call.onClose(() => this.#calls.delete(call));
  }

  /** Breaks off the calls of all who are not among these any more. */
  keepOnly(accesses: readonly LocalAccess[]): void {
    if (this.#calls.size === 0) return;
    const ids = new Set(accesses.map(({ id }) => id));
    this.#endWhere(({ access }) => !ids.has(access));
  }

  /** Breaks off all calls to a connection. */
  endAllTo(id: ConnectionId): void {
    this.#endWhere(({ connection }) => connection === id);
  }

  #endWhere(isOver: (letIn: LetIn) => boolean): void {
    for (const [call, letIn] of this.#calls) if (isOver(letIn)) call.breakOff();
  }
}
