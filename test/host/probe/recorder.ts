/** `loading` and `activating` are synchronous: whatever happens in them is the extension's doing. */
export type Phase = 'loading' | 'activating' | 'running';

export interface RecordedCall {
  /** Such as `fs/promises.readFile`; `keychain.…` for the native part of the keychain. */
  readonly api: string;
  /** What it was about: a path, an address; may be empty. */
  readonly target: string;
  readonly phase: Phase;
}

/** What the extension did, oldest first. */
export class Recorder {
  readonly calls: RecordedCall[] = [];
  #phase: Phase = 'running';
  readonly #waiting = new Set<() => void>();

  get phase(): Phase {
    return this.#phase;
  }

  record(api: string, target = ''): void {
    this.calls.push({ api, target, phase: this.#phase });
    this.changed();
  }

  /** Runs something synchronous as a phase of its own. */
  during<T>(phase: Phase, run: () => T): T {
    const before = this.#phase;
    this.#phase = phase;
    try {
      return run();
    } finally {
      this.#phase = before;
      this.changed();
    }
  }

  /** To be called after anything changed that {@link until} may look at. */
  changed(): void {
    for (const look of this.#waiting) look();
  }

  /** Waits until `find` gives something. Throws after `timeoutMs`, naming `what` was waited for. */
  async until<T>(what: string, find: () => T | undefined, timeoutMs = 10_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = () => {
        const found = find();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Waited ${timeoutMs} ms for ${what}.`));
      }, timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }
}

/**
 * A copy of a module, or of an object of functions, that records each call before it is passed on.
 * @param name what its functions are called by in the record
 */
export function recordingCopy(recorder: Recorder, name: string, original: object): object {
  const copy = {};
  const members = new Map<unknown, unknown>();
  for (const key of Reflect.ownKeys(original)) {
    const label = `${name}.${String(key)}`;
    const wrap = (value: unknown): unknown => {
      if (typeof value === 'function') return recordingFunction(recorder, label, value, original, copy);
      return key === 'promises' && typeof value === 'object' && value !== null
        ? recordingCopy(recorder, label, value)
        : value;
    };
    Object.defineProperty(copy, key, {
      configurable: true,
      enumerable: Object.prototype.propertyIsEnumerable.call(original, key),
      get: () => {
        const value: unknown = Reflect.get(original, key);
        if (!members.has(value)) members.set(value, wrap(value));
        return members.get(value);
      },
    });
  }
  return copy;
}

function recordingFunction(recorder: Recorder, label: string, value: object, original: object, copy: object): unknown {
  return new Proxy(value, {
    apply(target, self, args: unknown[]) {
      recorder.record(label, describe(args[0]));
      if (typeof target !== 'function') throw new TypeError(`${label} is no function`);
      return Reflect.apply(target, self === copy ? original : self, args);
    },
    construct(target, args: unknown[], newTarget) {
      recorder.record(`new ${label}`, describe(args[0]));
      if (typeof target !== 'function') throw new TypeError(`${label} is no function`);
      return Reflect.construct(target, args, newTarget);
    },
  });
}

/** What a call is about, from one of its arguments. */
export function describe(argument: unknown): string {
  if (typeof argument === 'string' || typeof argument === 'number') return String(argument);
  if (argument instanceof URL) return argument.href;
  if (typeof argument !== 'object' || argument === null) return '';
  const { hostname, host, port, path }: Record<string, unknown> = { ...argument };
  return [hostname ?? host, port, path]
    .filter((part) => typeof part === 'string' || typeof part === 'number')
    .map(String)
    .join(' ');
}
