import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

// What the tests take from node:test, for mutation testing: it collects them, so that they can be run one at a
// time, in this process, as often as one likes. mutationBundle.mjs puts it in the place of node:test.

type Hook = () => unknown;
type Body = (t: InProcessContext) => unknown;

export type Outcome =
  | { readonly type: 'passed' }
  | { readonly type: 'failed'; readonly message: string }
  /** Had not ended by its deadline; whatever it left behind is still there. */
  | { readonly type: 'hung' };

interface Suite {
  readonly path: readonly string[];
  readonly beforeEach: readonly Hook[];
}

interface MutableSuite extends Suite {
  readonly beforeEach: Hook[];
}

/** One test, with all that its suites have to do with it. */
export interface InProcessTest {
  /** The file, the suites and the name. */
  readonly id: string;
  readonly file: string;
  /** Runs it; never rejects. */
  readonly run: (deadlineMs: number) => Promise<Outcome>;
}

/** As much of node:test's TestContext as is used. */
class InProcessContext {
  readonly #after: Hook[] = [];
  /** Rejects with what nobody caught. */
  readonly uncaught: Promise<never>;
  fail: (error: unknown) => void = () => {};

  constructor() {
    this.uncaught = new Promise((_resolve, reject) => {
      this.fail = reject;
    });
    // Raced with the test; what comes when that has ended is of no interest.
    this.uncaught.catch(() => {});
  }

  /** In the order in which they were given, as node:test does; all of them, whatever one throws. */
  after(hook: Hook): void {
    this.#after.push(hook);
  }

  async runAfter(): Promise<void> {
    const failures: unknown[] = [];
    for (const hook of this.#after) {
      try {
        await hook();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

const tests: InProcessTest[] = [];
const ids = new Set<string>();
/** The test that an error which nobody caught comes from. */
const running = new AsyncLocalStorage<InProcessContext>();
let suite: MutableSuite = { path: [], beforeEach: [] };

/** All tests of the bundle, in the order of the files. */
export function registeredTests(): readonly InProcessTest[] {
  return tests;
}

/** What is registered from here on is of this file. */
export function beginFile(file: string): void {
  suite = { path: [file], beforeEach: [] };
}

export function describe(name: string, body: () => void): void {
  const outer = suite;
  suite = { path: [...outer.path, name], beforeEach: [...outer.beforeEach] };
  // A suite that is asynchronous is not waited for, and there is none.
  body();
  suite = outer;
}

export function beforeEach(hook: Hook): void {
  suite.beforeEach.push(hook);
}

export function it(name: string, body: Body): void {
  const own = suite;
  const path = [...own.path, name].join(' > ');
  let id = path;
  for (let count = 2; ids.has(id); count += 1) id = `${path} (${count})`;
  ids.add(id);
  tests.push({ id, file: own.path[0] ?? '', run: async (deadlineMs) => run(own, body, deadlineMs) });
}

export { it as test };

async function run(own: Suite, body: Body, deadlineMs: number): Promise<Outcome> {
  const context = new InProcessContext();
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<Outcome>((resolve) => {
    timer = setTimeout(resolve, deadlineMs, { type: 'hung' });
  });
  const ended = running.run(context, async (): Promise<Outcome> => {
    try {
      for (const hook of own.beforeEach) await hook();
      await Promise.race([body(context), context.uncaught]);
      await context.runAfter();
      // A rejection that nobody handles is told before the next turn.
      await nextTurn();
      await Promise.race([Promise.resolve(), context.uncaught]);
      return { type: 'passed' };
    } catch (error) {
      await context.runAfter().catch(() => {});
      return { type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  });
  try {
    return await Promise.race([ended, hung]);
  } finally {
    clearTimeout(timer);
  }
}

// An error of a test that has ended already is told to nobody, as node:test does no more than warn of it.
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error: unknown) => running.getStore()?.fail(error));
}
