import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { currentGrant } from '../../../src/connections/connection.ts';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { writeFileAtomically, writeFlushed } from '../../../src/platform/atomicFile.ts';
import {
  createHeadlessManager,
  type Headless,
  type HeadlessOptions,
  startWithFaults,
} from '../../headless/headlessManager.ts';
import { ManualClock, MemoryFile, MemorySecretStore } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import { refreshForms, restart, stored } from './refreshing.ts';

/** A process that is no more. */
const GONE = { pid: 2 ** 30, started: 'long ago' };
const STEPS = ['before sending', 'sent', 'half written', 'tmp written', 'journaled', 'stored', 'announced'] as const;
type Step = (typeof STEPS)[number];

/** A promise that never settles, once it is told that this moment has come. */
function standStill(reached: () => void): Promise<never> {
  reached();
  return new Promise(() => undefined);
}

/** The parts of a manager that stops for good at a step of a refresh, as if its process had been killed there. */
function killedAt(step: Step, { file, journalFolder, keychain }: Headless, reached: () => void): HeadlessOptions {
  const stop = async (): Promise<never> => standStill(reached);
  const at = (now: Step): boolean => now === step;
  class KilledKeychain extends MemorySecretStore {
    override readonly entries = keychain.entries;
    override async set(key: string, value: string): Promise<void> {
      if (at('journaled') && key.startsWith('connection:')) await stop();
      await super.set(key, value);
      if (at('stored') && key.startsWith('connection:')) await stop();
    }
  }
  class KilledFile extends MemoryFile {
    override text = file.text;
    override async write(document: Parameters<MemoryFile['write']>[0]): Promise<void> {
      await super.write(document);
      file.text = this.text;
      if (at('announced') && JSON.stringify(document).includes('"refreshed"')) await stop();
    }
  }
  return {
    browser: async () => undefined,
    keychain: new KilledKeychain(),
    file: new KilledFile(),
    journalFolder,
    wrapFetch: (fetch) => async (url, request) => {
      if (at('before sending')) await stop();
      const response = await fetch(url, request);
      return at('sent') ? stop() : response;
    },
    journal: {
      sender: GONE,
      write: async (path, text) => {
        if (path.endsWith('.answer') && (at('half written') || at('tmp written'))) {
          await writeFlushed(`${path}.new`, at('tmp written') ? text : text.slice(0, text.length / 2));
          await stop();
        }
        await writeFileAtomically(path, text);
      },
    },
  };
}

interface Killed {
  readonly server: FaultyServer;
  readonly id: string;
  /** The manager before the one that was killed, which has ended as it should. */
  readonly before: Headless;
}

/** A connection whose window was killed at a step of its second refresh. */
async function killAt(
  t: TestContext,
  step: Step,
  faults: Partial<Faults> = {},
  options: Partial<HeadlessOptions> = {},
): Promise<Killed> {
  const { server, headless } = await startWithFaults(t, faults, options);
  const { id } = await headless.connect(server.mcpUrl);
  await headless.manager.refresh(id);
  await headless.dispose();
  await new Promise<void>((resolve, reject) => {
    const killed = createHeadlessManager({ ...options, ...killedAt(step, headless, resolve) });
    // It stands still at the step; when it does not get there, the test is wrong.
    killed.manager
      .start()
      .then(async () => killed.manager.refresh(id))
      .then(() => reject(new Error('not killed')), reject);
  });
  return { server, id, before: headless };
}

async function isGood(server: FaultyServer, { manager }: Headless, id: string): Promise<boolean> {
  return manager.get(id)?.state.type === 'ready' && server.isActive(await manager.accessToken(id));
}

/** The tokens of all refreshes that the server got. */
function sentTokens(server: FaultyServer): readonly (string | undefined)[] {
  return refreshForms(server).map((form) => form['refresh_token']);
}

const KEPT: Readonly<Record<Step, { strict: boolean; sentOnce: boolean }>> = {
  'before sending': { strict: true, sentOnce: true },
  // The answer was in the process alone. Only a sender that outlives the window helps.
  sent: { strict: false, sentOnce: false },
  'half written': { strict: false, sentOnce: false },
  'tmp written': { strict: true, sentOnce: true },
  journaled: { strict: true, sentOnce: true },
  stored: { strict: true, sentOnce: true },
  announced: { strict: true, sentOnce: true },
};

describe('a window that is killed during a refresh', () => {
  for (const step of STEPS) {
    it(`P28 P31 ${step}, strict server: the login is ${KEPT[step].strict ? 'kept' : 'lost'}`, async (t) => {
      const { server, id, before } = await killAt(t, step);
      const next = await restart(t, before);
      if (!KEPT[step].strict) {
        await assert.rejects(next.manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
        return;
      }
      await next.manager.refresh(id);
      assert.ok(await isGood(server, next, id));
      await next.manager.refresh(id);
      assert.ok(await isGood(server, next, id));
      const sent = sentTokens(server);
      assert.equal(new Set(sent).size, sent.length, 'a refresh token was sent twice');
    });

    it(`P28 P31 ${step}, server with a grace window: the login is kept`, async (t) => {
      const { server, id, before } = await killAt(t, step, { graceOnReuse: true });
      const next = await restart(t, before);
      await next.manager.refresh(id);
      assert.ok(await isGood(server, next, id));
      const sent = sentTokens(server);
      assert.equal(new Set(sent).size === sent.length, KEPT[step].sentOnce);
      await next.manager.refresh(id);
      assert.ok(await isGood(server, next, id));
    });
  }

  it('P31 an answer that is older than its token is taken, and the token renewed', async (t) => {
    const clock = new ManualClock();
    const { server, id, before } = await killAt(t, 'journaled', { expiresIn: 600 }, { clock });
    clock.advance(700_000);
    const next = await restart(t, before, { clock });
    await next.until(id, ({ state }) => state.type === 'ready' && (state.grant.expiresAt ?? 0) > clock.now());
    assert.ok(await isGood(server, next, id));
    const sent = sentTokens(server);
    assert.equal(sent.length, 3);
    assert.equal(new Set(sent).size, 3);
  });

  it('P31 the life of a token counts from when its answer came', async (t) => {
    const clock = new ManualClock();
    const { id, before } = await killAt(t, 'journaled', { expiresIn: 600 }, { clock });
    const answeredAt = clock.now();
    clock.advance(100_000);
    const next = await restart(t, before, { clock });
    const grant = currentGrant(await next.manager.refresh(id));
    assert.equal(grant?.expiresAt, answeredAt + 600_000);
    assert.equal(grant.refreshedAt, answeredAt);
  });

  it('P31 a server that does not rotate: the answer is taken once, and not again', async (t) => {
    const { server, id, before } = await killAt(t, 'journaled', { rotate: false });
    const next = await restart(t, before);
    for (let round = 1; round <= 3; round += 1) await next.manager.refresh(id);
    assert.ok(await isGood(server, next, id));
    assert.equal(refreshForms(server).length, 4);
  });

  it('P31 a client secret that was entered meanwhile does not hide the answer', async (t) => {
    const { server, id, before } = await killAt(t, 'journaled');
    const next = await restart(t, before);
    await next.manager.configure(id, { client: { issuer: server.issuer, clientId: 'mine' } }, { clientSecret: 's' });
    await next.manager.refresh(id);
    assert.ok(await isGood(server, next, id));
    assert.equal(refreshForms(server).length, 2);
  });

  it('P31 an answer that was damaged is told, and the connection goes on as it can', async (t) => {
    const { server, id, before } = await killAt(t, 'journaled', { graceOnReuse: true });
    const entries = await readdir(before.journalFolder);
    const name = entries.find((entry) => entry.endsWith('.answer')) ?? assert.fail();
    await writeFile(`${before.journalFolder}/${name}`, 'not what was written');
    const next = await restart(t, before);
    const { lastError } = await next.manager.refresh(id);
    assert.ok(isConnectionError(lastError, 'journal_broken'));
    assert.ok(await isGood(server, next, id));
    assert.equal((await next.manager.refresh(id)).lastError, undefined, 'told once');
    assert.equal(
      (await readdir(before.journalFolder)).filter((entry) => entry.startsWith(`${name}.broken-`)).length,
      1,
    );
  });
});

describe('the journal', () => {
  it('P31 keeps an entry until a later read of the keychain shows that it is stored', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    const [first] = await readdir(headless.journalFolder);
    await headless.manager.refresh(id);
    const entries = await readdir(headless.journalFolder);
    assert.equal(entries.length, 1);
    assert.notEqual(entries[0], first);
    for (const token of [stored(headless, id), ...sentTokens(server)]) assert.ok(!entries.join().includes(token ?? ''));
  });

  for (const end of ['disconnect', 'remove'] as const) {
    it(`P35 keeps nothing after ${end}`, async (t) => {
      const { server, headless } = await startWithFaults(t);
      const { id } = await headless.connect(server.mcpUrl);
      await headless.manager.refresh(id);
      await headless.manager[end](id);
      assert.deepEqual(await readdir(headless.journalFolder), []);
    });
  }

  for (const isRestarted of [true, false]) {
    const whose = isRestarted ? 'has only used the token' : 'signed in';
    it(`P28 P31 has its key before the keychain is locked, in a window that ${whose}`, async (t) => {
      const clock = new ManualClock();
      const { server, headless } = await startWithFaults(t, {}, { clock });
      const { id } = await headless.connect(server.mcpUrl);
      const window = isRestarted ? await restart(t, headless, { clock }) : headless;
      await window.manager.accessToken(id);
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
      headless.keychain.state = 'locked';
      await window.manager.refresh(id);
      // The window stands still from here on, as if it had been killed.
      headless.keychain.state = 'open';
      const next = createHeadlessManager({ ...headless, clock, browser: async () => undefined });
      t.after(async () => next.dispose());
      await next.manager.start();
      await next.manager.refresh(id);
      assert.ok(await isGood(server, next, id));
    });
  }

  it('P28 P31 carries a login over a crash though the keychain took none of its refreshes', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    headless.keychain.state = 'locked';
    for (let round = 1; round <= 3; round += 1) {
      assert.ok(isConnectionError((await headless.manager.refresh(id)).lastError, 'keychain_locked'));
    }
    const token = await headless.manager.accessToken(id);
    // Killed: what it has in memory is gone, and the keychain still has the token of before.
    const keychain = new MemorySecretStore();
    for (const [key, value] of headless.keychain.entries) keychain.entries.set(key, value);
    const next = createHeadlessManager({ ...headless, keychain, browser: async () => undefined });
    t.after(async () => next.dispose());
    await next.manager.start();
    for (let round = 1; round <= 3; round += 1) await next.manager.refresh(id);
    assert.equal(refreshForms(server).length, 4, 'all three answers were in the journal');
    assert.equal(await next.manager.accessToken(id), token);
    await next.manager.refresh(id);
    assert.ok(await isGood(server, next, id));
    assert.equal((await readdir(headless.journalFolder)).length, 1);
  });

  it('P32 a failure, or an answer that never came, leaves nothing and costs nothing', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.tokenStatus = 503;
    await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'token_request_failed'));
    assert.deepEqual(await readdir(headless.journalFolder), []);
    Object.assign(server.faults, { tokenStatus: 200, dropTokenAnswer: true, graceOnReuse: true });
    await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'server_unreachable'));
    assert.equal(headless.manager.get(id)?.state.type, 'unreachable');
    assert.deepEqual(await readdir(headless.journalFolder), []);
    server.faults.dropTokenAnswer = false;
    await headless.manager.refresh(id);
    assert.ok(await isGood(server, headless, id));
  });

  for (const [title, faults] of [
    ['a web page', { tokenHtml: true }],
    ['an error with status 200', { tokenBody: () => ({ error: 'temporarily_unavailable' }), rotate: false }],
    ['an empty object', { tokenBody: () => ({}), rotate: false }],
    ['nothing', { tokenBody: () => '', rotate: false }],
  ] as const) {
    it(`P31 P33 ${title} instead of tokens is not given back for ever`, async (t) => {
      const { server, headless } = await startWithFaults(t, { graceOnReuse: true });
      const { id } = await headless.connect(server.mcpUrl);
      Object.assign(server.faults, faults);
      for (let round = 1; round <= 2; round += 1) await assert.rejects(headless.manager.refresh(id));
      assert.equal(refreshForms(server).length, 2);
      assert.equal((await readdir(headless.journalFolder)).length, 1, 'the last one is kept for repair');
      Object.assign(server.faults, { tokenHtml: false, tokenBody: undefined, rotate: true });
      const next = await restart(t, headless);
      await next.manager.refresh(id);
      assert.ok(await isGood(server, next, id));
    });
  }

  it('P27 P31 a refusal with status 200 is not taken for the answer to the next request', async (t) => {
    const { server, headless } = await startWithFaults(t, { rotate: false });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.tokenBody = (body) => (refreshForms(server).length === 1 ? { error: 'invalid_scope' } : body);
    await headless.manager.refresh(id);
    assert.ok(await isGood(server, headless, id));
    assert.equal(refreshForms(server).length, 2);
  });

  it('P31 that cannot be written costs no refresh, and is told in the log', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await writeFile(headless.journalFolder, 'in the way');
    await headless.manager.refresh(id);
    await headless.manager.refresh(id);
    assert.ok(await isGood(server, headless, id));
    assert.match(headless.log.lines.join('\n'), /storage_failed/);
  });

  it('P31 that has no key costs no refresh, and is told in the log', async (t) => {
    const keychain = new (class extends MemorySecretStore {
      override async get(key: string): Promise<string | undefined> {
        if (key.startsWith('journal-key')) throw new ConnectionError('keychain_unavailable', { problem: 'no service' });
        return super.get(key);
      }
    })();
    const { server, headless } = await startWithFaults(t, {}, { keychain });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    assert.ok(await isGood(server, headless, id));
    assert.match(headless.log.lines.join('\n'), /journal: keychain_unavailable/);
  });
});

describe('a refresh that another window has sent', () => {
  it('P29 P30 is waited for while that window lives, and its answer taken', async (t) => {
    const { server, headless } = await startWithFaults(t, { delayMs: { token: 300 } });
    const { id } = await headless.connect(server.mcpUrl);
    const first = headless.manager.refresh(id);
    while (refreshForms(server).length === 0) await nextTurn();
    const other = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => other.dispose());
    await other.manager.start();
    await other.manager.refresh(id);
    await first;
    assert.equal(refreshForms(server).length, 1);
    assert.ok(await isGood(server, other, id));
    assert.equal(await other.manager.accessToken(id), await headless.manager.accessToken(id));
  });

  it('P30 P31 a window that closes leaves a slow refresh to the journal, in time', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, { delayMs: { token: 400 } }, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    const left = headless.manager.refresh(id);
    const ended = assert.rejects(left, (error) => isConnectionError(error, 'owner_gone'));
    while (refreshForms(server).length === 0) await nextTurn();
    const closed = headless.manager.dispose();
    clock.advance(4000);
    await closed;
    const document = stored(headless, id);
    const next = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => next.dispose());
    await next.manager.start();
    await next.manager.refresh(id);
    await ended;
    assert.notEqual(stored(next, id), document);
    assert.equal(refreshForms(server).length, 1);
    assert.ok(await isGood(server, next, id));
  });
});
