import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import { ConnectionManager } from '../../../src/connections/connectionManager.ts';
import type { ConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { deferred } from '../../../src/connections/deferred.ts';
import { asScopekeeperError, isConnectionError } from '../../../src/connections/errors.ts';
import type { SecretPlace } from '../../../src/connections/secretVault.ts';
import { isOAuthError, OAuthError } from '../../../src/oauth/errors.ts';
import { generateSigningKey } from '../../../src/oauth/signingKey.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';

const ISSUER = 'https://as.example';
const SERVER_URL = 'https://example.com/mcp';
const HOUR_MS = 60 * 60_000;
const client = { issuer: ISSUER, clientId: 'mine', authMethod: 'none', source: 'registered' } as const;
const tokens = {
  accessToken: 'at-1',
  refreshToken: 'rt',
  client,
  authorizationServer: { issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
} as const;

/** Keeps what an earlier window stored. */
let parts: ConnectionParts;
let manager: ConnectionManager;
/** What the token endpoint was sent, and what it waits for before it answers. */
let refreshes: number;
let gate: Promise<unknown>;
let isOffline: boolean;
/** What was done to the journal. */
let journaled: string[];
let troubles: (string | undefined)[];

beforeEach(() => {
  parts = connectionParts();
  [refreshes, isOffline, gate, journaled, troubles] = [0, false, Promise.resolve(), [], []];
  manager = newManager();
});

const unused = async (): Promise<never> => assert.fail('not to be called');

function newManager(): ConnectionManager {
  let ids = 0;
  const { clock, file, log, vault } = parts;
  return new ConnectionManager({
    clock,
    file,
    log,
    vault,
    random: () => 0,
    newId: () => `id-${(ids += 1)}`,
    fetch: async () => {
      if (isOffline) throw new OAuthError('server_unreachable', { url: ISSUER, failure: 'dns' });
      refreshes += 1;
      await gate;
      return Response.json({ access_token: `at-${refreshes + 1}`, token_type: 'bearer', expires_in: 3600 });
    },
    resolveReach: async () => 'public',
    prepareRedirect: unused,
    readAssertion: unused,
    openBrowser: unused,
    software: { name: 'Test', softwareId: 'id', version: '1' },
    onSecretTrouble: (trouble) => void troubles.push(trouble?.error.code),
    onUnsaved: () => undefined,
    journal: {
      prepare: async () => void journaled.push('prepare'),
      find: async () => undefined,
      begin: async () => undefined,
      record: async () => undefined,
      end: async () => undefined,
      setAside: async () => undefined,
      forget: async (id, below) => void journaled.push(`forget ${id} ${below}`),
    },
  });
}

/** Starts with connections that an earlier window had: their tokens live for an hour. */
async function startWith(
  ids: readonly string[],
  more: Partial<Connection> = {},
  secret: Partial<ConnectionSecret> = { tokens },
  place: SecretPlace = 'keychain',
): Promise<void> {
  for (const id of ids) {
    const state = { type: 'ready', grant: someGrant(parts.clock) } as const;
    await parts.add(id, { state, issuer: ISSUER, ...more });
    parts.place(id, secret, place);
  }
  await parts.records.save();
  await manager.start();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: unknown) => asScopekeeperError(error).code,
  );
}

async function settled(): Promise<void> {
  for (let turn = 1; turn <= 5; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

describe('the manager of connections', () => {
  it('lists those that are stored, asks nobody for that, and tells of each', async () => {
    const told: string[] = [];
    manager.onDidChangeConnection(({ connection, type }) => void told.push(`${type} ${connection.id}`));
    await startWith(['a', 'b']);
    assert.deepEqual(
      manager.connections.map(({ id }) => id),
      ['a', 'b'],
    );
    assert.deepEqual(told, ['added a', 'added b']);
    assert.equal(manager.get('a'), manager.connections[0]);
    assert.equal(manager.get('x'), undefined);
    assert.deepEqual([manager.activity('a'), manager.activity('x')], [[], []]);
    assert.equal(parts.keychain.reads, 0);
  });

  it('adds a connection under a name of its own', async () => {
    await manager.start();
    const first = await manager.add('https://example.com/mcp');
    assert.deepEqual(first, {
      id: 'id-1',
      name: 'example.com',
      slug: 'example-com',
      serverUrl: 'https://example.com/mcp',
      kind: 'authorization_code',
      requested: [],
      challenged: [],
      settings: {},
      state: { type: 'disconnected' },
    });
    assert.deepEqual(manager.activity('id-1'), [{ at: parts.clock.now(), type: 'added' }]);
    const names = [];
    for (const name of [undefined, 'example.com', ' Mine\n', 'Mine', '  ']) {
      names.push((await manager.add('https://example.com/mcp', name, 'device_code')).name);
    }
    assert.deepEqual(names, ['example.com 2', 'example.com 3', 'Mine', 'Mine 2', 'example.com 4']);
    const slugs = manager.connections.map(({ slug }) => slug);
    assert.equal(new Set(slugs).size, 6);
    assert.equal(manager.connections[1]?.kind, 'device_code');
    await assert.rejects(manager.add('no url'), (error) => isOAuthError(error, 'invalid_server_url'));
  });

  it('renames one, unless another one is called so', async () => {
    await startWith(['a', 'b']);
    await manager.rename('a', '  New\n');
    assert.equal(manager.get('a')?.name, 'New');
    assert.equal(manager.get('a')?.slug, 'a');
    await manager.rename('a', ' ');
    await manager.rename('a', 'New');
    assert.equal(manager.get('a')?.name, 'New');
    await assert.rejects(manager.rename('b', 'New'), (error) => {
      assert.ok(isConnectionError(error, 'connection_exists'));
      assert.deepEqual(error.details, { name: 'New', serverUrl: SERVER_URL });
      return true;
    });
    assert.equal(await codeOf(manager.rename('x', 'Other')), 'connection_unknown');
    assert.equal(await codeOf(manager.rename('x', ' ')), 'connection_unknown');
    assert.match(parts.file.text ?? '', /"New"/);
  });

  it('P34 renews by itself', async () => {
    await startWith(['a']);
    parts.clock.advance(0.8 * HOUR_MS - 1);
    await settled();
    assert.equal(refreshes, 0);
    parts.clock.advance(1);
    await settled();
    assert.equal(refreshes, 1);
    assert.equal(await manager.accessToken('a'), 'at-2');
    await manager.dispose();
    parts.clock.advance(HOUR_MS);
    await settled();
    assert.equal(refreshes, 1);
  });

  it('P32 P34 tries again what was away when the machine wakes up', async () => {
    await startWith(['a']);
    isOffline = true;
    for (let failures = 1; failures <= 9; failures += 1) await codeOf(manager.refresh('a'));
    isOffline = false;
    parts.clock.jump(HOUR_MS / 30);
    parts.clock.advance(5000);
    await settled();
    assert.equal(manager.get('a')?.state.type, 'ready');
  });

  it('asks a keychain again at the window’s focus, a minute after the last time, or when the person wishes', async () => {
    await startWith(['a', 'b']);
    parts.keychain.state = 'locked';
    await codeOf(manager.accessToken('a'));
    await codeOf(manager.accessToken('b'));
    assert.deepEqual(troubles, ['keychain_locked']);
    parts.keychain.state = 'open';
    manager.noteFocus();
    await settled();
    assert.equal(manager.get('a')?.state.type, 'unreachable');
    manager.retryKeychain();
    await settled();
    assert.deepEqual([manager.get('a')?.state.type, manager.get('b')?.state.type], ['ready', 'ready']);
    assert.deepEqual(troubles, ['keychain_locked', undefined]);
  });

  it('waits no longer than four seconds for a refresh when the window closes', async () => {
    await startWith(['a']);
    const never = deferred<void>();
    gate = never.promise;
    const refresh = codeOf(manager.refresh('a'));
    await settled();
    let isDisposed = false;
    const disposed = manager.dispose().then(() => (isDisposed = true));
    parts.clock.advance(3999);
    await settled();
    assert.equal(isDisposed, false);
    parts.clock.advance(1);
    await disposed;
    never.resolve();
    assert.equal(await refresh, 'owner_gone', 'its answer is in the journal');
    assert.equal(await codeOf(manager.save()), 'owner_gone');
  });
});

describe('P31 the journal', () => {
  it('has its key while the keychain is open, and forgets what is stored', async () => {
    await startWith(['a'], {}, { tokens, generation: 7, answered: 5 });
    await manager.accessToken('a');
    assert.deepEqual(journaled, ['prepare', 'forget a 5']);
  });

  for (const [title, place, refreshable] of [
    ['of what the editor has', 'editor', true],
    ['of what is never renewed', 'keychain', false],
  ] as const) {
    it(`needs no key for the sake ${title}`, async () => {
      const state = { type: 'ready', grant: someGrant(parts.clock, { refreshable }) } as const;
      await startWith(['a'], { state }, { tokens }, place);
      await manager.accessToken('a');
      assert.ok(!journaled.includes('prepare'));
    });
  }

  it('needs no key for a connection without a grant', async () => {
    await startWith(['a'], { state: { type: 'disconnected' } });
    await manager.configure('a', {}, { assertion: 'jwt' });
    assert.deepEqual(journaled, ['forget a 1']);
  });
});

describe('a token', () => {
  it('is the stored one while it is good, then the next one', async () => {
    await startWith(['a']);
    assert.equal(await manager.accessToken('a'), 'at-1');
    parts.clock.jump(HOUR_MS - 10_001);
    assert.equal(await manager.accessToken('a'), 'at-1');
    parts.clock.jump(1);
    assert.equal(await manager.accessToken('a'), 'at-2');
  });

  it('is none of a connection that is not signed in, or whose secret is gone', async () => {
    await startWith(['a']);
    const added = await manager.add(SERVER_URL);
    await assert.rejects(
      manager.accessToken(added.id),
      (error) => isConnectionError(error, 'sign_in_required') && error.details.id === added.id,
    );
    assert.equal(manager.get(added.id)?.state.type, 'disconnected');
    parts.keychain.entries.delete('connection:a');
    assert.equal(await codeOf(manager.accessToken('a')), 'sign_in_required');
    const state = manager.get('a')?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'secret_missing');
    assert.equal(await codeOf(manager.accessToken('x')), 'connection_unknown');
  });

  it('P36 is for its own server’s origin alone', async () => {
    await startWith(['a']);
    const { headers, accessToken } = await manager.authorizeRequest('a', {
      method: 'GET',
      url: 'https://example.com/sse',
    });
    assert.deepEqual([headers, accessToken], [{ authorization: 'Bearer at-1' }, 'at-1']);
    for (const [url, shown] of [
      ['https://other.example/mcp?secret', 'https://other.example/mcp'],
      ['http://example.com/mcp', 'http://example.com/mcp'],
      ['no url', ''],
    ] as const) {
      await assert.rejects(manager.authorizeRequest('a', { method: 'GET', url }), (error) => {
        assert.ok(isConnectionError(error, 'foreign_origin'));
        assert.equal(error.details.url, shown);
        return true;
      });
    }
  });

  for (const [tokenType, scheme] of [
    ['dpop', 'DPoP'],
    [undefined, 'DPoP'],
    ['bearer', 'Bearer'],
  ] as const) {
    it(`RFC 9449 of type ${tokenType ?? 'nobody knows'} that may be bound to a key is sent as ${scheme}`, async () => {
      const dpopKey = await generateSigningKey('ES256');
      await startWith(['a'], {}, { tokens: { ...tokens, dpopKey, ...(tokenType && { tokenType }) } });
      manager.noteDpopNonce('https://example.com/mcp', 'ours');
      manager.noteDpopNonce('https://other.example/mcp', 'theirs');
      manager.noteDpopNonce('no url', 'nobody’s');
      const { headers } = await manager.authorizeRequest('a', { method: 'POST', url: SERVER_URL });
      assert.equal(headers.authorization, `${scheme} at-1`);
      assert.equal(headers.dpop !== undefined, scheme === 'DPoP');
      if (headers.dpop === undefined) return;
      const claims = JSON.parse(Buffer.from(headers.dpop.split('.')[1] ?? '', 'base64url').toString());
      assert.deepEqual([claims.htm, claims.htu, claims.nonce], ['POST', SERVER_URL, 'ours']);
    });
  }
});
