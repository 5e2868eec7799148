import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createConnectionsFile } from '../../../src/platform/connectionsFile.ts';
import { FolderSecretStore } from '../../headless/folderSecretStore.ts';
import { browse, NAVIGATION } from '../../headless/gatewayClient.ts';
import { createHeadlessManager, type Headless } from '../../headless/headlessManager.ts';
import { callTool } from '../../headless/mcpCall.ts';
import { createHeadlessSample, decide, openConsent } from '../../headless/sampleStand.ts';

const INITIAL = ['notes:read', 'notes:write'];
const ALL = [...INITIAL, 'notes:admin'];

/** One person on one machine, whose windows come and go. */
async function startMachine(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-sample-'));
  const closings: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const close of closings) await close();
    await rm(folder, { recursive: true, force: true });
  });
  const machine = {
    folder,
    sampleFolder: path.join(folder, 'sample'),
    /** What the person unticks from now on. */
    unticked: [] as readonly string[],
    decision: 'allow' as 'allow' | 'deny',
    /** The scopes that each page offered. */
    asked: [] as (readonly string[])[],
    /** A window that keeps the connections, until it is closed or the test ends. */
    async openWindow() {
      const file = createConnectionsFile(path.join(folder, 'connections.json'));
      const headless: Headless = createHeadlessManager({
        browser: async (url) => {
          const form = await openConsent(url);
          machine.asked.push(form.scopes);
          return decide(form, machine.decision, machine.unticked);
        },
        realKeychain: new FolderSecretStore(path.join(folder, 'keychain')),
        realFile: file,
        journalFolder: path.join(folder, 'journal'),
      });
      const { log, manager } = headless;
      const sample = createHeadlessSample({ folder, connections: manager, file, clock: systemClock, log });
      await sample.start();
      await manager.start();
      let isOpen = true;
      const close = async (): Promise<void> => {
        if (!isOpen) return;
        isOpen = false;
        await headless.dispose();
        await sample.dispose();
      };
      closings.push(close);
      return { headless, manager, sample, close };
    },
  };
  return machine;
}

type Machine = Awaited<ReturnType<typeof startMachine>>;

/** A window with the sample connected. */
async function connectSample(machine: Machine) {
  const window = await machine.openWindow();
  const url = await window.sample.url();
  return { ...window, url, connection: await window.headless.connect(url) };
}

describe('the sample server', () => {
  it('leaves no file and no port until it is tried', async (t) => {
    const machine = await startMachine(t);
    await machine.openWindow();
    assert.equal(existsSync(machine.sampleFolder), false);
  });

  it('P15 P26 is connected with what the person allowed, for some minutes', async (t) => {
    const machine = await startMachine(t);
    const { connection } = await connectSample(machine);
    assert.equal(connection.state.type, 'ready');
    assert.deepEqual(machine.asked, [INITIAL]);
    const grant = currentGrant(connection);
    assert.deepEqual(grant?.granted, INITIAL);
    assert.equal(grant?.refreshable, true);
    const lifeMs = (grant?.expiresAt ?? 0) - (grant?.issuedAt ?? 0);
    assert.ok(lifeMs > 290_000 && lifeMs <= 301_000, `${lifeMs} ms`);
  });

  it('P27 P39 is renewed without the person, and keeps its scopes', async (t) => {
    const machine = await startMachine(t);
    const { manager, connection } = await connectSample(machine);
    const renewed = await manager.refresh(connection.id);
    assert.equal(currentGrant(renewed)?.generation, 2);
    assert.deepEqual(currentGrant(renewed)?.granted, INITIAL);
    assert.equal((await callTool(manager, connection.id, { tool: 'list_notes' })).status, 200);
    assert.equal(machine.asked.length, 1);
  });

  it('P21 shows a scope that was unticked as not granted, and steps up when its tool is called', async (t) => {
    const machine = await startMachine(t);
    machine.unticked = ['notes:write'];
    const { manager, connection } = await connectSample(machine);
    assert.deepEqual(connection.requested, INITIAL);
    assert.deepEqual(currentGrant(connection)?.granted, ['notes:read']);
    machine.unticked = [];
    // Without a text it is an error of the tool, and no matter of scopes any more.
    const { status } = await callTool(manager, connection.id, { tool: 'add_note', mayAuthorize: true });
    assert.equal(status, 200);
    assert.deepEqual(machine.asked, [INITIAL, INITIAL]);
  });

  it('P22 P24 asks for all scopes together when a tool needs one more', async (t) => {
    const machine = await startMachine(t);
    const { manager, connection } = await connectSample(machine);
    const { outcomes, status } = await callTool(manager, connection.id, {
      tool: 'delete_all_notes',
      mayAuthorize: true,
    });
    assert.equal(status, 200);
    assert.deepEqual(outcomes, ['authorize']);
    assert.deepEqual(machine.asked, [INITIAL, ALL]);
    assert.deepEqual(currentGrant(manager.get(connection.id) ?? connection)?.granted, ALL);
  });

  for (const [what, decision, unticked] of [
    ['denied', 'deny', []],
    ['granted nothing', 'allow', INITIAL],
  ] as const) {
    it(`says no when it was ${what}`, async (t) => {
      const machine = await startMachine(t);
      Object.assign(machine, { decision, unticked });
      const { manager, sample } = await machine.openWindow();
      const { id } = await manager.add(await sample.url());
      await assert.rejects(manager.authorize(id), (error: unknown) => isOAuthError(error, 'authorization_denied'));
    });
  }

  it('is there again in the next window, which asks for nothing', async (t) => {
    const machine = await startMachine(t);
    const first = await connectSample(machine);
    await first.close();
    const { manager, sample } = await machine.openWindow();
    assert.equal(await sample.url(), first.url);
    const { id } = first.connection;
    assert.equal((await callTool(manager, id, { tool: 'list_notes' })).status, 200);
    await manager.refresh(id);
    assert.equal(machine.asked.length, 1);
  });

  it('P35 ends with its connection: the tokens are revoked, the port is free, nothing is left on disk', async (t) => {
    const machine = await startMachine(t);
    const { manager, sample, connection, url } = await connectSample(machine);
    assert.deepEqual(await manager.remove(connection.id), { revocation: 'revoked' });
    // It takes its turn after what the removal began.
    await sample.dispose();
    await assert.rejects(fetch(url));
    assert.equal(existsSync(machine.sampleFolder), false);
  });

  it('stays while a second connection to it is there', async (t) => {
    const machine = await startMachine(t);
    const { headless, manager, sample, connection, url } = await connectSample(machine);
    const second = await headless.connect(url);
    await manager.remove(connection.id);
    assert.equal(await sample.url(), url);
    assert.equal((await callTool(manager, second.id, { tool: 'list_notes' })).status, 200);
  });

  it('forgets what no connection came of', async (t) => {
    const machine = await startMachine(t);
    const { close, sample } = await machine.openWindow();
    await sample.url();
    assert.equal(existsSync(machine.sampleFolder), true);
    await close();
    await machine.openWindow();
    assert.equal(existsSync(machine.sampleFolder), false);
  });

  it('P41 keeps hashes of tokens only', async (t) => {
    const machine = await startMachine(t);
    const { manager, connection, url } = await connectSample(machine);
    const { accessToken } = await manager.authorizeRequest(connection.id, { method: 'POST', url });
    const text = await readFile(path.join(machine.sampleFolder, 'tokens.json'), 'utf8');
    assert.equal(text.includes(accessToken), false);
    assert.doesNotMatch(text, /skg_[ar]_\w/);
  });
});

/** An authorization URL that nobody opened yet. */
async function authorizationUrl(t: TestContext): Promise<string> {
  const machine = await startMachine(t);
  const { manager, sample } = await machine.openWindow();
  const { id } = await manager.add(await sample.url());
  const opened = new Promise<string>((resolve) => {
    const listener = manager.onDidChangeConnection(() => {
      const url = manager.authorizationUrl(id);
      if (url === undefined) return;
      listener.dispose();
      resolve(url);
    });
  });
  machine.decision = 'deny';
  void manager.authorize(id).catch(() => undefined); // how it ends is not what is tested
  return opened;
}

describe('the page of the sample server', () => {
  it('runs nothing, loads nothing, is in no frame, and goes nowhere but to the client', async (t) => {
    const { html, policy } = await openConsent(await authorizationUrl(t));
    assert.doesNotMatch(html, /<script|https?:|url\(|@import|\son\w+=/i);
    assert.equal(
      policy,
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' http://127.0.0.1:45678",
    );
  });

  it('P16 is answered once', async (t) => {
    const form = await openConsent(await authorizationUrl(t));
    const callback = await decide(form, 'allow');
    assert.ok(callback.searchParams.has('code'));
    const url = new URL(form.action);
    url.searchParams.set('decision', 'allow');
    const again = await browse(url, NAVIGATION);
    assert.deepEqual([again.status, again.text], [400, 'page_expired']);
  });

  it('gives no scope that was not asked for', async (t) => {
    const form = await openConsent(await authorizationUrl(t));
    const url = new URL(form.action);
    url.search = 'decision=allow&scope=notes:admin';
    const { headers } = await browse(url, NAVIGATION);
    assert.equal(new URL(String(headers.location)).searchParams.get('error'), 'access_denied');
  });

  for (const [what, headers] of [
    ['another Host', { ...NAVIGATION, host: 'evil.example' }],
    ['an Origin', { ...NAVIGATION, origin: 'https://evil.example' }],
    ['a frame', { ...NAVIGATION, 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' }],
    ['a script', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site' }],
  ] as const) {
    it(`is not for ${what}`, async (t) => {
      assert.equal((await browse(await authorizationUrl(t), headers)).status, 403);
    });
  }
});
