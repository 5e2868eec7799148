import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import { formatConnectionSecret, parseConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { asScopekeeperError } from '../../../src/connections/errors.ts';
import { type Headless, startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock, MemorySecretStore, type StoreState } from '../../headless/memoryPorts.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import { restart, stored } from './refreshing.ts';

interface Stand {
  readonly server: FaultyServer;
  /** A window that has read no secret yet. */
  readonly window: Headless;
  readonly clock: ManualClock;
  readonly id: string;
}

/** A connection that an earlier window made. */
async function connectedBefore(t: TestContext, editor?: MemorySecretStore): Promise<Stand> {
  const clock = new ManualClock();
  const { server, headless } = await startWithFaults(t, {}, { clock, ...(editor && { editor }) });
  const { id } = await headless.connect(server.mcpUrl);
  const browser = async (url: string): Promise<URL | undefined> => server.authorize(url);
  const window = await restart(t, headless, { clock, browser, ...(editor && { editor }) });
  return { server, window, clock, id };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    return asScopekeeperError(error).code;
  }
}

/** The state in a word or two. */
function stateOf(window: Headless, id: string): string {
  const state = window.manager.get(id)?.state;
  if (state === undefined) return 'gone';
  if (state.type === 'unreachable') return `unreachable ${state.error.code}`;
  return state.type === 'needsSignIn' ? `needsSignIn ${state.reason}` : state.type;
}

function generation(window: Headless, id: string): number {
  return parseConnectionSecret(id, stored(window, id)).generation;
}

const isReady = ({ state }: Connection): boolean => state.type === 'ready';

const OPERATIONS = {
  accessToken: async ({ window, id }: Stand) => window.manager.accessToken(id),
  refresh: async ({ window, id }: Stand) => window.manager.refresh(id),
  authorize: async ({ window, id }: Stand) => window.manager.authorize(id),
  disconnect: async ({ window, id }: Stand) => window.manager.disconnect(id),
  remove: async ({ window, id }: Stand) => window.manager.remove(id),
  configure: async ({ server, window, id }: Stand) =>
    window.manager.configure(
      id,
      { client: { issuer: server.issuer, clientId: 'mine' } },
      { clientSecret: 'entered-secret' },
    ),
} as const;

type Operation = keyof typeof OPERATIONS;

describe('a keychain that hides its secrets', () => {
  for (const [trouble, code] of [
    ['locked', 'keychain_locked'],
    ['unavailable', 'keychain_unavailable'],
    ['silent', 'keychain_timeout'],
    ['refusesReads', 'keychain_failed'],
  ] as const satisfies readonly (readonly [StoreState, string])[]) {
    const expectations: Readonly<Record<Operation, readonly [outcome: string, state: string]>> = {
      accessToken: [code, `unreachable ${code}`],
      refresh: [code, `unreachable ${code}`],
      authorize: ['done', 'ready'],
      disconnect: [code, 'ready'],
      remove: [code, 'ready'],
      configure: [code, 'ready'],
    };
    for (const [operation, [outcome, state]] of Object.entries(expectations)) {
      it(`${trouble}: ${operation} is ${outcome}, and nothing is signed out by it`, async (t) => {
        const stand = await connectedBefore(t);
        const { clock, id, server, window } = stand;
        const before = stored(window, id);
        window.keychain.state = trouble;
        assert.equal(stateOf(window, id), 'ready', 'starting reads nothing');
        const run = Object.entries(OPERATIONS).find(([name]) => name === operation)?.[1] ?? assert.fail();
        assert.equal(await codeOf(run(stand)), outcome);
        assert.equal(stateOf(window, id), state);
        assert.equal(stored(window, id), before, 'what is stored is as it was');
        assert.deepEqual(window.manager.get(id)?.settings, {});
        const requests = server.requestsTo('token').length;

        window.keychain.state = 'open';
        clock.advance(5000);
        await window.until(id, isReady);
        await window.settled();
        assert.ok(server.isActive(await window.manager.accessToken(id)));
        assert.equal(server.requestsTo('token').length, requests, 'by reading alone');
        assert.equal(window.manager.get(id)?.lastError, undefined);
      });
    }

    it(`${trouble}: is told once for all connections, however often it is tried, and again only when it was over`, async (t) => {
      const { clock, id, server, window } = await connectedBefore(t);
      const other = await window.connect(server.mcpUrl);
      const again = await restart(t, window, { clock });
      again.keychain.state = trouble;
      for (let round = 0; round < 10; round++) {
        for (const each of [id, other.id]) await codeOf(again.manager.accessToken(each));
        clock.advance(10 * 60_000);
        await again.settled();
      }
      assert.deepEqual(again.troubles, [`hidden ${code}`]);
      assert.ok([id, other.id].every((each) => stateOf(again, each) === `unreachable ${code}`));
      const events = again.manager.activity(id).filter(({ type }) => type === 'refresh_failed');
      assert.equal(events.length, 1, 'an outage is one event');

      again.keychain.state = 'open';
      clock.advance(15 * 60_000);
      await Promise.all([id, other.id].map(async (each) => again.until(each, isReady)));
      await again.settled();
      assert.deepEqual(again.troubles, [`hidden ${code}`, undefined]);
    });
  }

  it('is asked for all connections together, less and less often, and no later than in 15 minutes', async (t) => {
    const { clock, id, server, window } = await connectedBefore(t);
    for (let count = 0; count < 5; count++) await window.connect(server.mcpUrl);
    const again = await restart(t, window, { clock });
    again.keychain.state = 'silent';
    await Promise.all(again.manager.connections.map(async (each) => codeOf(again.manager.accessToken(each.id))));
    again.keychain.reads = 0;
    for (let minute = 0; minute < 60; minute++) {
      clock.advance(60_000);
      await again.settled();
    }
    assert.ok(again.keychain.reads >= 6 && again.keychain.reads <= 14, `${again.keychain.reads} reads in an hour`);
    const state = again.manager.get(id)?.state;
    assert.ok(state?.type === 'unreachable' && state.retryAt - clock.now() <= 15 * 60_000);
  });

  it('that answers one connection is asked for all others at once', async (t) => {
    const { clock, id, server, window } = await connectedBefore(t);
    const other = await window.connect(server.mcpUrl);
    const again = await restart(t, window, { clock });
    again.keychain.state = 'locked';
    for (const each of [id, other.id]) await codeOf(again.manager.accessToken(each));
    again.keychain.state = 'open';
    await again.manager.accessToken(id);
    await again.until(other.id, isReady);
  });

  it('is asked at once when the person asks for it, and at the window’s focus only if that is not done all the time', async (t) => {
    const { clock, id, window } = await connectedBefore(t);
    window.keychain.state = 'locked';
    await codeOf(window.manager.accessToken(id));
    window.keychain.state = 'open';
    window.keychain.reads = 0;
    window.manager.noteFocus();
    await window.settled();
    assert.equal(window.keychain.reads, 0);
    window.manager.retryKeychain();
    await window.until(id, isReady);

    window.keychain.state = 'locked';
    const later = await restart(t, window, { clock });
    await codeOf(later.manager.accessToken(id));
    clock.jump(61_000);
    later.keychain.state = 'open';
    later.manager.noteFocus();
    await later.until(id, isReady);
  });

  it('is waited for also under a sign-in that the person gives up when it is back', async (t) => {
    const { clock, id, window } = await connectedBefore(t);
    const again = await restart(t, window, { clock });
    again.keychain.state = 'locked';
    await codeOf(again.manager.accessToken(id));
    const signIn = again.manager.authorize(id);
    await again.until(id, () => again.manager.authorizationUrl(id) !== undefined);
    again.keychain.state = 'open';
    again.manager.retryKeychain();
    await again.until(id, ({ lastError }) => lastError === undefined);
    await again.manager.cancelAuthorization(id);
    await signIn;
    assert.equal(stateOf(again, id), 'ready');
  });

  it('midway does not touch what is in use: tokens are good, renewed, and stored when it is back', async (t) => {
    const { clock, id, server, window } = await connectedBefore(t);
    await window.manager.accessToken(id);
    window.keychain.state = 'locked';
    for (let count = 0; count < 3; count++) await window.manager.refresh(id);
    assert.equal(stateOf(window, id), 'ready');
    const token = await window.manager.accessToken(id);
    assert.ok(server.isActive(token));
    assert.deepEqual(window.troubles, ['in_memory keychain_locked']);
    window.keychain.state = 'open';
    clock.advance(5000);
    await window.settled();
    assert.match(stored(window, id), new RegExp(token));
    assert.deepEqual(window.troubles, ['in_memory keychain_locked', undefined]);
    assert.equal(window.manager.get(id)?.lastError, undefined);
  });
});

describe('a keychain that takes no secrets', () => {
  for (const [trouble, code] of [
    ['refusesWrites', 'keychain_failed'],
    ['locked', 'keychain_locked'],
    ['unavailable', 'keychain_unavailable'],
    ['silent', 'keychain_timeout'],
  ] as const satisfies readonly (readonly [StoreState, string])[]) {
    for (const [second, effect] of [
      [undefined, 'in_memory'],
      ['refusesWrites', 'in_memory'],
      ['open', 'in_editor'],
    ] as const) {
      it(`${trouble}, with the editor’s storage ${second ?? 'missing'}: ${effect}, told once, and mended by itself`, async (t) => {
        const editor = second === undefined ? undefined : new MemorySecretStore('editor');
        const { clock, id, server, window } = await connectedBefore(t, editor);
        const other = await window.connect(server.mcpUrl);
        await window.manager.accessToken(id);
        const before = generation(window, id);
        window.keychain.state = trouble;
        if (editor !== undefined && second !== undefined) editor.state = second;
        for (let round = 0; round < 4; round++) {
          await window.manager.refresh(id);
          await window.manager.refresh(other.id);
          clock.advance(60_000);
          await window.settled();
        }
        assert.deepEqual(window.troubles, [`${effect} ${code}`]);
        const token = await window.manager.accessToken(id);
        assert.ok(server.isActive(token) && stateOf(window, id) === 'ready');
        assert.equal(generation(window, id), before);

        window.keychain.state = 'open';
        clock.advance(10 * 60_000);
        await window.settled();
        for (const each of [id, other.id]) assert.ok(generation(window, each) > before);
        assert.ok(![...(editor?.entries.keys() ?? [])].includes(`connection:${id}`));
        assert.deepEqual(window.troubles, [`${effect} ${code}`, undefined]);
      });
    }
  }

  it('is asked to take one alone while it refuses, however many wait in the editor’s storage', async (t) => {
    const editor = new MemorySecretStore('editor');
    const { clock, id, server, window } = await connectedBefore(t, editor);
    const ids = [id];
    for (let count = 0; count < 3; count += 1) ids.push((await window.connect(server.mcpUrl)).id);
    window.keychain.state = 'refusesWrites';
    for (const each of ids) await window.manager.refresh(each);
    const tried: string[] = [];
    const set = window.keychain.set.bind(window.keychain);
    window.keychain.set = async (key, value) => {
      tried.push(key);
      await set(key, value);
    };
    clock.advance(5000);
    await window.settled();
    assert.equal(tried.length, 1);
    window.keychain.state = 'open';
    clock.advance(20_000);
    await window.settled();
    for (const each of ids) assert.ok(!editor.entries.has(`connection:${each}`));
  });

  it('P30 a newer document in the editor’s storage is taken over by the next window, and leaves it', async (t) => {
    const editor = new MemorySecretStore('editor');
    const { clock, id, server, window } = await connectedBefore(t, editor);
    window.keychain.state = 'refusesWrites';
    await window.manager.refresh(id);
    const token = await window.manager.accessToken(id);
    const next = await restart(t, window, { clock, editor });
    next.keychain.state = 'open';
    assert.equal(await next.manager.accessToken(id), token);
    await next.settled();
    assert.match(stored(next, id), new RegExp(token));
    assert.ok(!editor.entries.has(`connection:${id}`));
    assert.equal(server.requestsTo('token').length, 2, 'no renewal was needed');
    assert.deepEqual(next.troubles, []);
  });

  it('P30 P32 another editor waits for the newest, and sends no older refresh token', async (t) => {
    const editor = new MemorySecretStore('editor');
    const { clock, id, server, window } = await connectedBefore(t, editor);
    window.keychain.state = 'refusesWrites';
    await window.manager.refresh(id);
    const other = new MemorySecretStore('editor');
    const browser = async (url: string): Promise<URL | undefined> => server.authorize(url);
    const elsewhere = await restart(t, window, { clock, editor: other, browser });
    elsewhere.keychain.state = 'open';
    assert.equal(await codeOf(elsewhere.manager.accessToken(id)), 'secret_elsewhere');
    assert.equal(await codeOf(elsewhere.manager.refresh(id)), 'secret_elsewhere');
    assert.equal(stateOf(elsewhere, id), 'unreachable secret_elsewhere');
    assert.equal(server.requestsTo('token').length, 2);
    // The person need not wait for it.
    await elsewhere.manager.authorize(id);
    const token = await elsewhere.manager.accessToken(id);
    const back = await restart(t, elsewhere, { clock, editor });
    assert.equal(await back.manager.accessToken(id), token, 'the newest is in the keychain now');
  });
});

describe('an entry that cannot be read', () => {
  const spoilt = {
    'half a document': (text: string) => text.slice(0, text.length / 2),
    'a document of nobody': () => '{"version":1}',
    'the document of another server': (text: string) =>
      formatConnectionSecret({ ...parseConnectionSecret('', text), serverUrl: 'https://other.example/mcp' }),
  };
  const expectations: Readonly<Record<Operation, readonly [outcome: string, state: string, isKept: boolean]>> = {
    accessToken: ['secret_unreadable', 'needsSignIn secret_unreadable', false],
    refresh: ['secret_unreadable', 'needsSignIn secret_unreadable', false],
    authorize: ['done', 'ready', true],
    disconnect: ['done', 'disconnected', false],
    remove: ['done', 'gone', false],
    configure: ['done', 'ready', true],
  };
  for (const [title, spoil] of Object.entries(spoilt)) {
    for (const [operation, [outcome, state, isKept]] of Object.entries(expectations)) {
      it(`${title}: ${operation} is ${outcome}, then ${state}`, async (t) => {
        const stand = await connectedBefore(t);
        const { id, window } = stand;
        const text = spoil(stored(window, id));
        window.keychain.entries.set(`connection:${id}`, text);
        const run = Object.entries(OPERATIONS).find(([name]) => name === operation)?.[1] ?? assert.fail();
        assert.equal(await codeOf(run(stand)), outcome);
        assert.equal(stateOf(window, id), state);
        assert.equal(window.keychain.entries.get(`connection:${id}:unreadable-1`), isKept ? text : undefined);
        if (outcome !== 'done') assert.equal(stored(window, id), text, 'the bytes are where they were');
        if (state === 'gone') assert.doesNotMatch([...window.keychain.entries.keys()].join(), new RegExp(id));
        assert.deepEqual(window.troubles, []);
      });
    }

    it(`${title}: while its tokens are in use they are good, and the bytes are kept before they are replaced`, async (t) => {
      const { id, window, server } = await connectedBefore(t);
      await window.manager.accessToken(id);
      const text = spoil(stored(window, id));
      window.keychain.entries.set(`connection:${id}`, text);
      await window.manager.refresh(id);
      assert.ok(server.isActive(await window.manager.accessToken(id)));
      assert.equal(stateOf(window, id), 'ready');
      assert.equal(window.keychain.entries.get(`connection:${id}:unreadable-1`), text);
    });
  }

  it('keeps the other connections working', async (t) => {
    const { clock, id, server, window } = await connectedBefore(t);
    const other = await window.connect(server.mcpUrl);
    const again = await restart(t, window, { clock });
    again.keychain.entries.set(`connection:${id}`, 'broken');
    assert.equal(await codeOf(again.manager.refresh(id)), 'secret_unreadable');
    await again.manager.refresh(other.id);
    assert.equal(stateOf(again, other.id), 'ready');
  });

  for (const operation of Object.keys(OPERATIONS)) {
    it(`of a newer version is left as it is: ${operation}`, async (t) => {
      const stand = await connectedBefore(t);
      const { id, server, window } = stand;
      const text = '{"version":2,"of":"tomorrow"}';
      window.keychain.entries.set(`connection:${id}`, text);
      const requests = server.requestsTo('authorization').length;
      const run = Object.entries(OPERATIONS).find(([name]) => name === operation)?.[1] ?? assert.fail();
      assert.equal(await codeOf(run(stand)), 'secret_too_new');
      assert.equal(stored(window, id), text);
      assert.equal(server.requestsTo('authorization').length, requests, 'nobody signs in for nothing');
      const isUse = operation === 'accessToken' || operation === 'refresh';
      assert.equal(stateOf(window, id), isUse ? 'unreachable secret_too_new' : 'ready');
    });
  }

  it('of a newer version stays when its connection is removed all the same', async (t) => {
    const { id, window } = await connectedBefore(t);
    window.keychain.entries.set(`connection:${id}`, '{"version":2}');
    assert.deepEqual(await window.manager.remove(id, { leaveSecret: true }), { revocation: 'failed' });
    assert.equal(stored(window, id), '{"version":2}');
  });

  for (const [title, list] of [
    ['is broken', 'no JSON'],
    ['is gone', undefined],
    ['is of a newer version', '{"version":2}'],
  ] as const) {
    it(`does not follow from a list of entries that ${title}`, async (t) => {
      const { id, window, server } = await connectedBefore(t);
      if (list === undefined) window.keychain.entries.delete('connections');
      else window.keychain.entries.set('connections', list);
      assert.ok(server.isActive(await window.manager.accessToken(id)));
      await window.manager.refresh(id);
      assert.equal(stateOf(window, id), 'ready');
      assert.equal(window.keychain.entries.has('connections'), true);
      assert.deepEqual(window.troubles, []);
    });
  }

  it('a keychain that was reset looks locked, and signing in once tells the two apart', async (t) => {
    const { clock, id, server, window } = await connectedBefore(t);
    const other = await window.connect(server.mcpUrl);
    const browser = async (url: string): Promise<URL | undefined> => server.authorize(url);
    const again = await restart(t, window, { clock, browser });
    again.keychain.entries.clear();
    for (const each of [id, other.id]) assert.equal(await codeOf(again.manager.accessToken(each)), 'keychain_locked');
    await again.manager.authorize(id);
    await again.until(other.id, ({ state }) => state.type === 'needsSignIn');
    assert.equal(stateOf(again, other.id), 'needsSignIn secret_missing');
    assert.equal(stateOf(again, id), 'ready');
  });
});
