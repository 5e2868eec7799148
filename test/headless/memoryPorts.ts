import { ConnectionError } from '../../src/connections/errors.ts';
import type { Clock, ConnectionsFile, Disposable, Log, SecretStore } from '../../src/connections/ports.ts';
import type { StoredConnections } from '../../src/connections/storedConnections.ts';

/**
 * How a store in memory fails. `locked` is as gnome-keyring is: reads give nothing, writes fail, deletes do nothing;
 * `silent` is a prompt that nobody answers.
 */
export type StoreState = 'open' | 'locked' | 'unavailable' | 'silent' | 'refusesReads' | 'refusesWrites';

/** A secret store in memory that can fail. */
export class MemorySecretStore implements SecretStore {
  readonly name: SecretStore['name'];
  readonly entries = new Map<string, string>();
  /** How often {@link get} was called. */
  reads = 0;
  state: StoreState = 'open';

  constructor(name: SecretStore['name'] = 'keychain') {
    this.name = name;
  }

  async get(key: string): Promise<string | undefined> {
    this.reads += 1;
    this.#fail('read');
    return this.state === 'locked' ? undefined : this.entries.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    this.#fail('write');
    if (this.state === 'locked') throw new ConnectionError('keychain_locked', {});
    this.entries.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#fail('delete');
    if (this.state !== 'locked') this.entries.delete(key);
  }

  #fail(operation: 'read' | 'write' | 'delete'): void {
    const isRefused = this.state === (operation === 'read' ? 'refusesReads' : 'refusesWrites');
    if (isRefused) throw new ConnectionError('keychain_failed', { operation, problem: 'refused' });
    if (this.state === 'unavailable') throw new ConnectionError('keychain_unavailable', { problem: 'no service' });
    if (this.state === 'silent') throw new ConnectionError('keychain_timeout', { operation, timeoutMs: 5000 });
  }
}

/** The public data file in memory, as text, so that what is not JSON shows. */
export class MemoryFile implements ConnectionsFile {
  text: string | undefined;
  isFull = false;

  async read(): Promise<StoredConnections | undefined> {
    return this.text === undefined ? undefined : JSON.parse(this.text);
  }

  async write(document: StoredConnections): Promise<void> {
    if (this.isFull)
      throw new ConnectionError('storage_failed', { operation: 'write', path: 'memory', problem: 'full' });
    this.text = JSON.stringify(document);
  }
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  /** Goes on only with `advance`; the timers count by it. */
  #now: number;
  #skewMs = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  constructor(now = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now + this.#skewMs;
  }

  /** Sets the clock, or lets the machine sleep: no timer gets nearer to its end by that. */
  jump(ms: number): void {
    this.#skewMs += ms;
  }

  after(delayMs: number, callback: () => void): Disposable {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return { dispose: () => void this.#timers.delete(timer) };
  }

  /** Moves on, firing the timers on the way in their order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }
}

/** Keeps what was logged, so that a test can look for secrets in it. */
export class MemoryLog implements Log {
  readonly lines: string[] = [];
  debug(message: string): void {
    this.lines.push(message);
  }
  info(message: string): void {
    this.lines.push(message);
  }
  warn(message: string): void {
    this.lines.push(message);
  }
  error(message: string): void {
    this.lines.push(message);
  }
}
