import { Emitter } from '../connections/emitter.ts';
import type { Disposable, Log } from '../connections/ports.ts';
import { askAgain } from './askAgain.ts';
import type { OwnerLink, WindowRole } from './windowRole.ts';

export interface FollowedServiceParts<S, E extends object> {
  /** This window's own; used while it is the owner. */
  readonly own: S;
  /** The owner's, while that is another window. */
  readonly ofOwner: (link: OwnerLink) => S;
  readonly listen: (service: S, tell: (event: E) => void) => Disposable;
  /** What has changed when another service is the current one from now on. */
  readonly differences: (before: S, now: S) => Iterable<E>;
  readonly role: WindowRole;
  readonly log: Log;
}

/**
 * A service that the owner has, whichever window that is. What it tells goes on when another window is the owner, and
 * what is different there is told.
 */
export class FollowedService<S, E extends object> implements Disposable {
  readonly #parts: FollowedServiceParts<S, E>;
  readonly #events: Emitter<E>;
  readonly #roleChanges: Disposable;
  #current: S;
  #subscription: Disposable;

  constructor(parts: FollowedServiceParts<S, E>) {
    this.#parts = parts;
    this.#events = new Emitter((error) => parts.log.error(`A listener failed: ${String(error)}`));
    this.#current = parts.own;
    this.#subscription = this.#follow();
    this.#roleChanges = parts.role.onDidChange(() => this.#followRole());
  }

  dispose(): void {
    this.#roleChanges.dispose();
    this.#subscription.dispose();
  }

  /** That of the window that is the owner now, or was it last. */
  get current(): S {
    return this.#current;
  }

  onDidTell(listener: (event: E) => void): Disposable {
    return this.#events.listen(listener);
  }

  /** Waits until there is an owner, and throws why there is none; when it ends before it has answered, `owner_gone`. */
  async once<T>(call: (service: S) => Promise<T>): Promise<T> {
    await this.#parts.role.ensureReady();
    return call(this.#current);
  }

  /** As {@link once}, for what can be asked for twice: it is, when the owner ends before it has answered. */
  async again<T>(call: (service: S) => Promise<T>): Promise<T> {
    return askAgain(async () => this.once(call));
  }

  #follow(): Disposable {
    return this.#parts.listen(this.#current, (event) => this.#events.fire(event));
  }

  #followRole(): void {
    const { differences, ofOwner, own, role } = this.#parts;
    const next = role.link === undefined ? own : ofOwner(role.link);
    if (next === this.#current) return;
    const before = this.#current;
    this.#subscription.dispose();
    this.#current = next;
    this.#subscription = this.#follow();
    for (const event of differences(before, next)) this.#events.fire(event);
  }
}
