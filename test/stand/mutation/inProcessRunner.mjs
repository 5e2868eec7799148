// A test runner of Stryker: runs the bundle that bundleTests.mjs makes, in the process that it is loaded in.
// Other than a process for each file of tests, it takes milliseconds for a mutant that is noticed, and knows of
// every single test which mutants it reaches.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  determineHitLimitReached,
  DryRunStatus,
  MutantRunStatus,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';

const TESTS = 'out/mutation/tests.mjs';
const REACHED = 'out/mutation/reached.json';
/** How long each test took when nothing was broken, in ms. The worker that made the dry run leaves it to the others. */
const TIMES = 'out/mutation/times.json';

/** A test that waits for what a mutant never does is given up after this and `LONGER` times what it took before. */
const DEADLINE_MS = 8000;
const LONGER = 10;
/** The same when nothing is broken: what is slow then is the machine. */
const UNBROKEN_DEADLINE_MS = 120_000;

/** How often a process loads the tests anew, for mutants of what runs on loading: it forgets no module. */
const MOST_LOADS = 8;

/** How many of the tests that noticed other mutants of a source are asked first, those of the nearest lines. */
const LIKELY = 16;

/**
 * How many other integration tests are asked of a mutant: all, or MUTATE_MOST_INTEGRATION_TESTS. With fewer it takes
 * less long, and the score is a lower bound, as a mutant that only the others would notice counts as survived.
 */
const MOST = Number(process.env.MUTATE_MOST_INTEGRATION_TESTS ?? Number.POSITIVE_INFINITY);

/** What the instrumented sources know of Stryker. */
const stryker = (globalThis.__stryker__ ??= {});

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function isUnit({ file }) {
  return file.startsWith('test/unit/');
}

/** The first test of every file, then the second of every file: so a few of them see the most different things. */
function inTurn(tests) {
  const seen = new Map();
  const turns = tests.map((test) => {
    const turn = seen.get(test.file) ?? 0;
    seen.set(test.file, turn + 1);
    return { test, turn };
  });
  return turns.toSorted((a, b) => a.turn - b.turn).map(({ test }) => test);
}

class InProcessRunner {
  #tests;
  #times = {};
  /** By source, for each test that noticed a mutant the line of the latest: it is likely to notice the next one there. */
  #noticing = new Map();
  #loads = 0;
  /** A test was given up, and what it was at may still go on; or no module more is to be loaded. */
  #isSpoilt = false;

  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun({ coverageAnalysis }) {
    await this.#load();
    const tests = [];
    for (const test of this.#tests) {
      if (coverageAnalysis === 'perTest') stryker.currentTestId = test.id;
      tests.push(await this.#run(test, UNBROKEN_DEADLINE_MS));
    }
    stryker.currentTestId = undefined;
    writeFileSync(TIMES, JSON.stringify(Object.fromEntries(tests.map(({ id, timeSpentMs }) => [id, timeSpentMs]))));
    return { status: DryRunStatus.Complete, tests, mutantCoverage: stryker.mutantCoverage };
  }

  /** Ends with the first test that fails. */
  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation, sandboxFileName, reloadEnvironment }) {
    if (reloadEnvironment) this.#tests = undefined;
    if (this.#loads === MOST_LOADS && this.#tests === undefined) this.#isSpoilt = true;
    // Rejecting makes Stryker start a new process and ask again.
    if (this.#isSpoilt) throw new Error('this process is used up');
    stryker.hitLimit = hitLimit;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    stryker.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
    try {
      await this.#load();
    } catch (error) {
      if (mutantActivation !== 'static') throw error;
      return {
        status: MutantRunStatus.Killed,
        killedBy: Object.keys(this.#times).slice(0, 1),
        failureMessage: `The tests cannot be loaded: ${String(error)}`,
        nrOfTests: 0,
      };
    }
    stryker.activeMutant = activeMutant.id;
    const tests = [];
    for (const test of this.#select(testFilter, sandboxFileName, activeMutant.location.start.line)) {
      const result = await this.#run(test);
      if (this.#isSpoilt) return { status: MutantRunStatus.Timeout, reason: `${test.id} does not end` };
      const isNoticed = result.status === TestStatus.Failed && (await this.#isConfirmed(test, mutantActivation));
      tests.push(isNoticed ? result : { ...result, status: TestStatus.Success });
      if (isNoticed) {
        this.#remember(sandboxFileName, test.id, activeMutant.location.start.line);
        break;
      }
    }
    stryker.activeMutant = undefined;
    return (
      determineHitLimitReached(stryker.hitCount, hitLimit) ??
      toMutantRunResult({ status: DryRunStatus.Complete, tests })
    );
  }

  /**
   * Whether a test that failed passes without the mutant, and fails with it once more. A machine that is too busy,
   * or something that an earlier mutant left in this process, must not pass for a mutant that was noticed.
   */
  async #isConfirmed(test, mutantActivation) {
    const { activeMutant } = stryker;
    if (mutantActivation === 'runtime') {
      stryker.activeMutant = undefined;
      const { status } = await this.#run(test);
      stryker.activeMutant = activeMutant;
      if (status === TestStatus.Failed) {
        this.#isSpoilt = true;
        throw new Error(`${test.id} fails without the mutant`);
      }
    }
    // Past its limit a mutant that loops does nothing but throw.
    if (determineHitLimitReached(stryker.hitCount, stryker.hitLimit) !== undefined) return true;
    return (await this.#run(test)).status === TestStatus.Failed;
  }

  async #load() {
    if (this.#tests !== undefined) return;
    try {
      this.#times = readJson(TIMES);
    } catch {
      // This is the dry run.
    }
    this.#loads += 1;
    const { registeredTests } = await import(`${pathToFileURL(path.resolve(TESTS)).href}?${this.#loads}`);
    this.#tests = registeredTests();
  }

  #remember(source, id, line) {
    const others = (this.#noticing.get(source) ?? []).filter((other) => other.id !== id);
    this.#noticing.set(source, [{ id, line }, ...others]);
  }

  /** The tests that Stryker names, or those whose file can reach the mutant at all: likely and quick ones first. */
  #select(testFilter, sandboxFileName, line) {
    const chosen = testFilter && new Set(testFilter);
    const source = path.relative(process.cwd(), sandboxFileName).replaceAll(path.sep, '/');
    const reached = readJson(REACHED);
    const tests = this.#tests.filter(({ id, file }) => chosen?.has(id) ?? reached[file].includes(source));
    const likely = (this.#noticing.get(sandboxFileName) ?? [])
      .toSorted((a, b) => Math.abs(a.line - line) - Math.abs(b.line - line))
      .flatMap(({ id }) => tests.find((test) => test.id === id) ?? [])
      .slice(0, LIKELY);
    const others = tests
      .filter((test) => !likely.includes(test))
      .toSorted((a, b) => (this.#times[a.id] ?? 0) - (this.#times[b.id] ?? 0));
    const integration = others.filter((test) => !isUnit(test));
    return [...likely, ...others.filter(isUnit), ...inTurn(integration).slice(0, MOST)];
  }

  async #run({ id, file, run }, deadlineMs = DEADLINE_MS + LONGER * (this.#times[id] ?? 0)) {
    const started = performance.now();
    const outcome = await run(deadlineMs);
    if (outcome.type === 'hung') this.#isSpoilt = true;
    return {
      id,
      name: id,
      fileName: path.resolve(file),
      timeSpentMs: Math.round(performance.now() - started),
      ...(outcome.type === 'passed'
        ? { status: TestStatus.Success }
        : { status: TestStatus.Failed, failureMessage: outcome.message ?? 'does not end' }),
    };
  }
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', injectableClass: InProcessRunner }];
