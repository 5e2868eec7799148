import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises';
import type { Connection } from '../../../src/connections/connection.ts';
import { parseConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { deferred } from '../../../src/connections/deferred.ts';
import { writeFileAtomically, writeFlushed } from '../../../src/platform/atomicFile.ts';
import { createHeadlessManager, type Headless } from '../../headless/headlessManager.ts';
import { ManualClock, MemoryFile, MemorySecretStore, type StoreState } from '../../headless/memoryPorts.ts';
import { type FaultyServer, startFaultyServer } from '../../servers/faultyServer.ts';

/** What a run is made of; another one each time, and the failed one is told. */
const SEEDS =
  process.env['SCOPEKEEPER_SEED']?.split(',').map(Number) ?? Array.from({ length: 5 }, () => randomInt(1e9));
const STEPS_IN_A_RUN = 25;
const LONGEST_REFRESH_MS = 20_000;
/** A process that is no more: nobody waits for it. */
const GONE = { pid: 2 ** 30, started: 'long ago' };
const MINUTE_MS = 60_000;

/** Where a window can be killed with no loss, at a strict server; the rest loses an answer that was read by nobody. */
const SAFE_KILLS = ['before sending', 'tmp written', 'journaled', 'stored', 'announced', 'idle'] as const;
const KILLS = [...SAFE_KILLS, 'sent', 'half written'] as const;
type Kill = (typeof KILLS)[number];
const TROUBLES: readonly StoreState[] = ['locked', 'unavailable', 'silent', 'refusesReads', 'refusesWrites'];

/** Mulberry32: numbers in [0, 1) that follow from the seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const isDocument = (key: string): boolean => key.startsWith('connection:');

/** All that outlives a window, and the window that is open. */
class World {
  readonly clock = new ManualClock();
  readonly keychain = new MemorySecretStore('keychain');
  readonly editor: MemorySecretStore | undefined;
  readonly file = new MemoryFile();
  readonly server: FaultyServer;
  readonly journalFolder: string;
  readonly done: string[] = [];
  /** Why a run fails, as soon as it does. */
  readonly faults: string[] = [];
  window: Headless;
  id = '';
  isConnected = true;
  readonly #isStrict: boolean;
  /** Refresh tokens that the server took. */
  readonly #used = new Set<string>();
  #generation = 0;
  #life = { isDead: false };
  #killAt: Kill | undefined;
  #killed = deferred<void>();

  constructor(server: FaultyServer, isStrict: boolean, hasEditor: boolean) {
    this.server = server;
    this.#isStrict = isStrict;
    this.editor = hasEditor ? new MemorySecretStore('editor') : undefined;
    this.window = this.#open();
    this.journalFolder = this.window.journalFolder;
  }

  /** A window that can be killed: from then on nothing of it reaches anything. */
  #open(journalFolder?: string): Headless {
    const life = { isDead: false };
    this.#life = life;
    const { clock, file, keychain, server } = this;
    const pass = async (): Promise<void> => {
      if (life.isDead) await new Promise(() => undefined);
    };
    const at = async (kill: Kill): Promise<void> => {
      await pass();
      if (this.#killAt !== kill) return;
      life.isDead = true;
      this.#killed.resolve();
      await pass();
    };
    const window = createHeadlessManager({
      browser: async (url) => server.authorize(url),
      clock: {
        now: () => clock.now(),
        after: (delayMs, callback) => clock.after(delayMs, () => void (life.isDead || callback())),
      },
      realKeychain: {
        name: 'keychain',
        get: async (key) => {
          await pass();
          return keychain.get(key);
        },
        set: async (key, value) => {
          if (isDocument(key)) await at('journaled');
          await pass();
          await keychain.set(key, value);
          if (isDocument(key)) await at('stored');
        },
        delete: async (key) => {
          await pass();
          await keychain.delete(key);
        },
      },
      realFile: {
        read: async () => file.read(),
        write: async (document) => {
          await pass();
          await file.write(document);
          await at('announced');
        },
      },
      ...(this.editor !== undefined && { editor: this.editor }),
      ...(journalFolder !== undefined && { journalFolder }),
      wrapFetch: (fetch) => async (url, request) => {
        await at('before sending');
        const token = new URLSearchParams(request.body).get('refresh_token');
        if (this.#isStrict && token !== null && this.#used.has(token)) this.faults.push('a token was used twice');
        const response = await fetch(url, request);
        if (token !== null && response.ok) this.#used.add(token);
        await at('sent');
        return response;
      },
      journal: {
        sender: GONE,
        now: () => clock.now(),
        write: async (target, text) => {
          await pass();
          const kill = target.endsWith('.answer') ? this.#killAt : undefined;
          if (kill === 'half written') await writeFlushed(`${target}.new`, text.slice(0, text.length / 2));
          if (kill === 'tmp written') await writeFlushed(`${target}.new`, text);
          if (kill === 'half written' || kill === 'tmp written') await at(kill);
          await writeFileAtomically(target, text);
        },
      },
    });
    window.manager.onDidChangeConnection(({ connection }) => this.#check(connection, life.isDead));
    return window;
  }

  /** What may never be seen, whatever happens. */
  #check({ state }: Connection, isDead: boolean): void {
    if (!isDead && this.isConnected && state.type === 'needsSignIn') this.faults.push(`signed out: ${state.reason}`);
  }

  check(): void {
    const stored = this.keychain.entries.get(`connection:${this.id}`);
    const generation = stored === undefined ? this.#generation : parseConnectionSecret(this.id, stored).generation;
    if (generation < this.#generation) this.faults.push('an older document has replaced a newer one');
    this.#generation = generation;
  }

  async connect(): Promise<void> {
    ({ id: this.id } = await this.window.connect(this.server.mcpUrl));
    await this.window.manager.refresh(this.id);
  }

  async restart(): Promise<void> {
    this.window = this.#open(this.journalFolder);
    await this.window.manager.start();
  }

  /** Kills the window at a step of a refresh, or where it is when that step is not reached, and opens another. */
  async kill(step: Kill): Promise<void> {
    this.#killAt = step;
    this.#killed = deferred<void>();
    if (step !== 'idle')
      await Promise.race([this.#killed.promise, this.window.manager.refresh(this.id).catch(() => undefined)]);
    this.#life.isDead = true;
    this.#killAt = undefined;
    await this.restart();
  }

  /** Damages what lies in the journal. */
  async corrupt(): Promise<void> {
    for (const name of await readdir(this.journalFolder))
      await writeFile(path.join(this.journalFolder, name), 'spoilt');
  }

  /** Lets all end that a server or the clock brings to an end. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += MINUTE_MS / 2) {
      this.clock.advance(Math.min(MINUTE_MS / 2, ms - passed));
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      await this.#rest();
    }
  }

  /** Waits for the refresh that is running, which has an end whatever the clock says. */
  async #rest(): Promise<void> {
    const late = new AbortController();
    const isLate = await Promise.race([
      this.window.until(this.id, ({ state }) => state.type !== 'refreshing').then(() => false),
      setTimeout(LONGEST_REFRESH_MS, true, { signal: late.signal }).catch(() => true),
    ]);
    late.abort();
    if (isLate) this.faults.push('a refresh does not end');
  }
}

interface Action {
  readonly name: string;
  readonly run: (world: World, random: () => number) => Promise<void>;
}

function pick<T>(list: readonly T[], random: () => number): T {
  const [first] = list.slice(Math.floor(random() * list.length));
  assert.ok(first !== undefined);
  return first;
}

/** What was refused shows in the state, which is looked at. */
const tried = async (task: Promise<unknown>): Promise<void> => void (await task.catch(() => undefined));

function actionsFor(isStrict: boolean): readonly Action[] {
  const kills = isStrict ? SAFE_KILLS : KILLS;
  return [
    { name: 'refresh', run: async ({ id, window }) => tried(window.manager.refresh(id)) },
    { name: 'use', run: async ({ id, window }) => tried(window.manager.accessToken(id)) },
    ...kills.map((kill) => ({ name: `kill ${kill}`, run: async (world: World) => world.kill(kill) })),
    {
      name: 'keychain trouble',
      run: async ({ keychain }, random) => void (keychain.state = pick(TROUBLES, random)),
    },
    { name: 'keychain open', run: async ({ keychain }) => void (keychain.state = 'open') },
    { name: 'keychain open', run: async ({ keychain }) => void (keychain.state = 'open') },
    { name: 'time', run: async (world, random) => world.pass(random() * 40 * MINUTE_MS) },
    { name: 'clock set', run: async ({ clock }, random) => clock.jump((random() - 0.5) * 4 * 60 * MINUTE_MS) },
    { name: 'server down', run: async ({ server }) => void (server.faults.tokenStatus = 503) },
    { name: 'server up', run: async ({ server }) => void (server.faults.tokenStatus = 200) },
    {
      name: 'sign in',
      run: async (world) => {
        Object.assign(world.server.faults, { tokenStatus: 200 });
        world.keychain.state = 'open';
        await world.window.manager.authorize(world.id);
        world.isConnected = true;
      },
    },
    {
      name: 'disconnect',
      run: async (world) => {
        world.keychain.state = 'open';
        world.isConnected = false;
        await world.window.manager.disconnect(world.id);
      },
    },
    {
      name: 'close',
      run: async (world) => {
        await world.window.dispose();
        await world.restart();
      },
    },
    ...(isStrict ? [] : [{ name: 'corrupt', run: async (world: World) => world.corrupt() }]),
  ];
}

/** Does many things in a random order, then mends what is broken and waits: what was connected has to be so again. */
async function run(t: TestContext, seed: number, isStrict: boolean): Promise<void> {
  const random = randomOf(seed);
  const server = await startFaultyServer(isStrict ? {} : { graceOnReuse: true, strictRotation: false });
  t.after(async () => server.close());
  const world = new World(server, isStrict, random() < 0.5);
  server.faults.now = () => world.clock.now();
  await world.connect();
  const actions = actionsFor(isStrict);
  for (let step = 0; step < STEPS_IN_A_RUN && world.faults.length === 0; step += 1) {
    const action = pick(actions, random);
    await action.run(world, random);
    world.done.push(`${action.name} (${world.keychain.state}) -> ${world.window.manager.get(world.id)?.state.type}`);
    world.check();
  }
  if (world.faults.length === 0) {
    world.keychain.state = 'open';
    server.faults.tokenStatus = 200;
    await world.pass(130 * MINUTE_MS);
    world.check();
    const state = world.window.manager.get(world.id)?.state.type;
    if (state !== (world.isConnected ? 'ready' : 'disconnected')) world.faults.push(`in the end it is ${state}`);
    else if (world.isConnected && !server.isActive(await world.window.manager.accessToken(world.id)))
      world.faults.push('in the end its token is not good');
  }
  const story = [`SCOPEKEEPER_SEED=${seed}`, ...world.done, ...world.window.log.lines.slice(-12)].join('\n');
  assert.deepEqual(world.faults, [], story);
  await world.window.dispose();
}

describe('whatever happens to windows and keychains, in any order', () => {
  for (const [title, isStrict] of [
    ['a strict server', true],
    ['a server with a grace window', false],
  ] as const) {
    it(`P28 P29 P30 P31 P32 at ${title} no login is lost, and all recovers by itself`, async (t) => {
      for (const seed of SEEDS) await run(t, seed, isStrict);
    });
  }
});
