import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import type { EditorClient } from '../../../src/gateway/gatewayService.ts';
import {
  createRegistryFixture,
  KEY,
  MemoryRegistryFile,
  OTHER_KEY,
  type RegistryFixture,
} from '../../headless/localAccess.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const AGENT: EditorClient = { type: 'agent' };
const BY_HAND = { label: 'By hand', connection: 'notes', allowedTools: ['list'] } as const;

let fixture: RegistryFixture;

beforeEach(async () => {
  fixture = await createRegistryFixture();
});

/** Waits for all changes that were begun. */
async function settled({ registry } = fixture): Promise<void> {
  await registry.revoke([]);
}

describe('a token made by hand', () => {
  it('P41, P43 lets its client in, to its connection and tools', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    const access = fixture.registry.use(token, 'notes');
    assert.deepEqual(
      { ...access, id: 'x' },
      {
        id: 'x',
        kind: 'token',
        label: 'By hand',
        connection: 'notes',
        allowedTools: ['list'],
        createdAt: 1_800_000_000_000,
      },
    );
    assert.equal(fixture.registry.use(token, 'files'), undefined);
    assert.equal(fixture.registry.use(`${token} `, 'notes'), undefined);
    assert.equal(fixture.registry.use('', 'notes'), undefined);
  });

  it('P43 with a tool that is called * has no more than that after a restart, and rather less', async () => {
    const token = await fixture.registry.createToken({ ...BY_HAND, allowedTools: ['list', '*'] });
    const reloaded = await fixture.reload();
    assert.deepEqual(reloaded.registry.use(token, 'notes')?.allowedTools, ['list']);
  });

  it('P41 is stored as its SHA-256 only', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    const [entry] = Object.values(fixture.file.document.tokens);
    assert.equal(entry?.hash, createHash('sha256').update(token).digest('hex'));
    assert.equal(fixture.file.text?.includes(token.slice(6)), false);
    assert.equal(entry.prefix, 'skg_a_');
  });

  it('P39 ends when its life is over, and never without one', async () => {
    const short = await fixture.registry.createToken({ ...BY_HAND, lifetimeMs: MINUTE_MS });
    const long = await fixture.registry.createToken(BY_HAND);
    fixture.clock.advance(MINUTE_MS - 1);
    assert.notEqual(fixture.registry.use(short, 'notes'), undefined);
    fixture.clock.advance(1);
    assert.equal(fixture.registry.use(short, 'notes'), undefined);
    fixture.clock.advance(9000 * DAY_MS);
    assert.notEqual(fixture.registry.use(long, 'notes'), undefined);
    assert.equal(fixture.registry.accesses.length, 1);
  });

  it('P41 that could not be written down is none', async () => {
    fixture.file.isFull = true;
    await assert.rejects(fixture.registry.createToken(BY_HAND), (error) => isConnectionError(error, 'storage_failed'));
    assert.deepEqual(fixture.registry.accesses, []);
  });

  it('P43 is for a connection that there is', async () => {
    const unknown = { ...BY_HAND, connection: 'none' };
    await assert.rejects(fixture.registry.createToken(unknown), (error) =>
      isConnectionError(error, 'connection_unknown'),
    );
    await assert.rejects(fixture.registry.editorToken('none', AGENT), (error) =>
      isConnectionError(error, 'connection_unknown'),
    );
  });
});

describe('the token of the editor', () => {
  const EXTENSION: EditorClient = { type: 'extension', extensionId: 'acme.tool' };

  it('P41 is the same each time without being stored, also after a restart', async () => {
    const token = await fixture.registry.editorToken('notes', AGENT);
    const { text, writes } = fixture.file;
    assert.equal(await fixture.registry.editorToken('notes', AGENT), token);
    assert.equal(fixture.file.writes, writes);
    assert.equal(text?.includes(token.slice(6)), false);
    assert.equal(await (await fixture.reload()).registry.editorToken('notes', AGENT), token);
    assert.equal(fixture.registry.use(token, 'notes')?.kind, 'editor');
    assert.equal(fixture.registry.use(token, 'files'), undefined);
  });

  it('P43 is another one for each connection and extension', async () => {
    const tokens = await Promise.all([
      fixture.registry.editorToken('notes', AGENT),
      fixture.registry.editorToken('files', AGENT),
      fixture.registry.editorToken('notes', EXTENSION),
      fixture.registry.editorToken('notes', { ...EXTENSION, extensionId: 'acme.other' }),
      fixture.registry.editorToken('notes', AGENT),
    ]);
    assert.equal(new Set(tokens).size, 4);
    const access = fixture.registry.use(tokens[2] ?? '', 'notes');
    assert.equal(access?.kind, 'extension');
    assert.equal(access.label, 'acme.tool');
  });

  it('P41 is another one after it was revoked', async () => {
    const token = await fixture.registry.editorToken('notes', AGENT);
    await fixture.registry.revoke(fixture.registry.accesses.map(({ id }) => id));
    assert.equal(fixture.registry.use(token, 'notes'), undefined);
    const next = await fixture.registry.editorToken('notes', AGENT);
    assert.notEqual(next, token);
    assert.equal(fixture.registry.use(token, 'notes'), undefined);
  });

  it('P41 stays when the keychain that was away is back, and is made anew when its key is lost', async () => {
    fixture.loadKeys = async () => ({ key: OTHER_KEY });
    const token = await fixture.registry.editorToken('notes', AGENT);
    fixture.loadKeys = async () => ({ key: KEY, other: async () => OTHER_KEY });
    assert.equal(await fixture.registry.editorToken('notes', AGENT), token);
    fixture.loadKeys = async () => ({ key: KEY, other: async () => undefined });
    const next = await fixture.registry.editorToken('notes', AGENT);
    assert.notEqual(next, token);
    assert.equal(fixture.registry.use(token, 'notes'), undefined);
    assert.notEqual(fixture.registry.use(next, 'notes'), undefined);
    assert.equal(fixture.registry.accesses.length, 1);
  });
});

describe('the accesses', () => {
  it('P43 are listed the oldest first, and told when they change', async () => {
    let told = 0;
    const listener = fixture.registry.onDidChangeAccesses(() => {
      told += 1;
    });
    await fixture.registry.createToken({ ...BY_HAND, label: 'one' });
    fixture.clock.advance(1);
    await fixture.registry.createToken({ ...BY_HAND, label: 'two' });
    assert.equal(told, 2);
    assert.deepEqual(
      fixture.registry.accesses.map(({ label }) => label),
      ['one', 'two'],
    );
    listener.dispose();
    await fixture.registry.createToken(BY_HAND);
    assert.equal(told, 2);
  });

  it('P43 get other tools, in all that is renewed from them', async () => {
    const { grants } = fixture.registry;
    const grant = { clientId: 'c', clientName: 'C', connection: 'notes', allowedTools: ['a'] } as const;
    const tokens = await grants.issue(grant);
    await fixture.registry.changeTools(tokens.accessId, ['b']);
    assert.deepEqual(fixture.registry.use(tokens.accessToken, 'notes')?.allowedTools, ['b']);
    const renewed = await grants.refresh(tokens.refreshToken, 'c', () => true);
    assert.ok(renewed.type === 'issued');
    const access = fixture.registry.use(renewed.tokens.accessToken, 'notes');
    assert.deepEqual(access?.allowedTools, ['b']);
    assert.equal(access.id, tokens.accessId);
    fixture.file.isFull = true;
    await assert.rejects(fixture.registry.changeTools(access.id, '*'), (error) =>
      isConnectionError(error, 'storage_failed'),
    );
    assert.deepEqual(fixture.registry.accesses[0]?.allowedTools, ['b']);
  });

  it('P41 are ended at once, and not when that could not be written', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    const other = await fixture.registry.createToken(BY_HAND);
    const id = fixture.registry.use(token, 'notes')?.id ?? '';
    fixture.file.isFull = true;
    await assert.rejects(fixture.registry.revoke([id]), (error) => isConnectionError(error, 'storage_failed'));
    assert.notEqual(fixture.registry.use(token, 'notes'), undefined);
    fixture.file.isFull = false;
    await fixture.registry.revoke([id]);
    assert.equal(fixture.registry.use(token, 'notes'), undefined);
    assert.equal((await fixture.reload()).registry.use(token, 'notes'), undefined);
    assert.notEqual(fixture.registry.use(other, 'notes'), undefined);
  });

  it('P44 of a connection that was removed go with it, also when that is written later', async () => {
    const gone = await fixture.registry.createToken(BY_HAND);
    const stays = await fixture.registry.createToken({ ...BY_HAND, connection: 'files' });
    fixture.file.isFull = true;
    fixture.connections.remove('notes');
    await assert.rejects(settled(), (error) => isConnectionError(error, 'storage_failed'));
    fixture.file.isFull = false;
    fixture.clock.advance(MINUTE_MS);
    await settled();
    assert.equal(Object.keys(fixture.file.document.tokens).length, 1);
    assert.equal(fixture.registry.use(gone, 'notes'), undefined);
    assert.notEqual(fixture.registry.use(stays, 'files'), undefined);
  });

  it('P44 what was remembered for a connection that was removed goes, too', async () => {
    const { grants } = fixture.registry;
    const client = await grants.addClient('C', ['http://127.0.0.1/']);
    const clientId = client?.id ?? '';
    for (const connection of ['notes', 'files'])
      await grants.issue({ clientId, clientName: 'C', connection, allowedTools: ['a'] });
    assert.deepEqual(grants.client(clientId)?.remembered, { notes: ['a'], files: ['a'] });
    fixture.connections.remove('notes');
    await settled();
    assert.deepEqual(grants.client(clientId)?.remembered, { files: ['a'] });
  });
});

describe('the last use', () => {
  it('P41 is in memory at once, and in the file within a minute', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    const { writes } = fixture.file;
    for (let second = 1; second <= 59; second += 1) {
      fixture.clock.advance(1000);
      fixture.registry.use(token, 'notes');
    }
    const usedAt = fixture.clock.now();
    assert.equal(fixture.registry.accesses[0]?.lastUsedAt, usedAt);
    assert.equal(fixture.file.writes, writes);
    fixture.clock.advance(MINUTE_MS);
    await settled();
    assert.equal(fixture.file.writes, writes + 1);
    assert.equal((await fixture.reload()).registry.accesses[0]?.lastUsedAt, usedAt);
  });

  it('P41 is written when the registry is left, which lets nobody in any more', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    fixture.registry.use(token, 'notes');
    await fixture.registry.dispose();
    assert.equal((await fixture.reload()).registry.accesses[0]?.lastUsedAt, fixture.clock.now());
    assert.equal(fixture.registry.use(token, 'notes'), undefined);
    assert.equal(fixture.registry.problem?.code, 'owner_gone');
    const { writes } = fixture.file;
    await assert.rejects(fixture.registry.createToken(BY_HAND), (error) => isConnectionError(error, 'owner_gone'));
    fixture.connections.remove('notes');
    fixture.clock.advance(10 * MINUTE_MS);
    await new Promise(setImmediate);
    assert.equal(fixture.file.writes, writes);
    await fixture.registry.load();
    assert.notEqual(fixture.registry.use(token, 'notes'), undefined);
  });

  it('P41 that could not be written is tried again', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    fixture.registry.use(token, 'notes');
    fixture.file.isFull = true;
    for (let round = 1; round <= 3; round += 1) {
      fixture.clock.advance(MINUTE_MS);
      await new Promise(setImmediate);
    }
    assert.equal(fixture.log.lines.filter((line) => line.includes('storage_failed')).length, 3);
    fixture.file.isFull = false;
    fixture.clock.advance(MINUTE_MS);
    await settled();
    assert.notEqual((await fixture.reload()).registry.accesses[0]?.lastUsedAt, undefined);
  });

  it('P41 during a write is written with the next one', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    fixture.registry.use(token, 'notes');
    let open: (() => void) | undefined;
    fixture.file.gate = new Promise((resolve) => {
      open = resolve;
    });
    const change = fixture.registry.createToken(BY_HAND);
    await new Promise(setImmediate);
    fixture.clock.advance(5000);
    fixture.registry.use(token, 'notes');
    open?.();
    await change;
    await fixture.registry.dispose();
    assert.equal((await fixture.reload()).registry.accesses[0]?.lastUsedAt, fixture.clock.now());
  });
});

describe('the clients', () => {
  const REDIRECTS = ['http://127.0.0.1/callback'];

  it('P44 that nobody ever let in expire after a day, others long after the last yes', async () => {
    const { grants } = fixture.registry;
    const unused = await grants.addClient('unused', REDIRECTS);
    const used = await grants.addClient('used', REDIRECTS);
    const clientId = used?.id ?? '';
    await grants.issue({ clientId, clientName: 'used', connection: 'notes', allowedTools: '*' });
    fixture.clock.advance(DAY_MS);
    await fixture.registry.createToken(BY_HAND);
    assert.equal(grants.client(unused?.id ?? ''), undefined);
    assert.equal(grants.client(clientId)?.name, 'used');
    fixture.clock.advance(178 * DAY_MS);
    await fixture.registry.createToken(BY_HAND);
    assert.notEqual(grants.client(clientId), undefined);
    fixture.clock.advance(DAY_MS);
    await fixture.registry.createToken(BY_HAND);
    assert.equal(grants.client(clientId), undefined);
  });

  it('P44 are at most 200, and a crowd of new ones drives out none that was let in', async () => {
    const { grants } = fixture.registry;
    const known = await grants.addClient('known', REDIRECTS);
    const clientId = known?.id ?? '';
    const { accessId } = await grants.issue({ clientId, clientName: 'known', connection: 'notes', allowedTools: '*' });
    await fixture.registry.revoke([accessId]);
    let last = known;
    for (let count = 1; count <= 250; count += 1) {
      fixture.clock.advance(1);
      last = await grants.addClient(`new ${count}`, REDIRECTS);
      assert.notEqual(last, undefined);
    }
    assert.equal(Object.keys(fixture.file.document.clients ?? {}).length, 200);
    assert.notEqual(grants.client(clientId), undefined);
    assert.notEqual(grants.client(last?.id ?? ''), undefined);
  });

  it('P44 that have access stay, and when all do there is no room for another', async () => {
    const { grants } = fixture.registry;
    for (let count = 1; count <= 200; count += 1) {
      const client = await grants.addClient(`client ${count}`, REDIRECTS);
      await grants.issue({ clientId: client?.id ?? '', clientName: 'c', connection: 'notes', allowedTools: '*' });
    }
    const { text } = fixture.file;
    assert.equal(await grants.addClient('one too many', REDIRECTS), undefined);
    assert.equal(fixture.file.text, text);
    await fixture.registry.revoke([fixture.registry.accesses[0]?.id ?? '']);
    assert.notEqual(await grants.addClient('now', REDIRECTS), undefined);
  });

  it('P41 that could not be written down are none', async () => {
    fixture.file.isFull = true;
    const adding = fixture.registry.grants.addClient('c', REDIRECTS);
    await assert.rejects(adding, (error) => isConnectionError(error, 'storage_failed'));
    fixture.file.isFull = false;
    await fixture.registry.createToken(BY_HAND);
    assert.deepEqual(fixture.file.document.clients, {});
  });
});

describe('a registry of version 1', () => {
  const TOKEN = 'an-old-token-of-version-1';
  const hash = createHash('sha256').update(TOKEN).digest('hex');
  const created = '2026-01-02T03:04:05.123456789+02:00';
  const entry = { id: 'tok-1', hash, prefix: 'an-o', allowed_tools: ['list'], created_at: created, revoked: false };

  async function loaded(change: object = {}): Promise<RegistryFixture> {
    const file = new MemoryRegistryFile();
    file.text = JSON.stringify({ version: 1, tokens: { 'tok-1': { ...entry, ...change } } });
    return createRegistryFixture({ file });
  }

  it('P42 loads, and its tokens are good for each connection with their tools', async () => {
    const { registry } = await loaded({ label: 'Old', agent_name: 'agent', last_used_at: '2026-02-01T00:00:00Z' });
    for (const connection of ['notes', 'files']) {
      const access = registry.use(TOKEN, connection);
      assert.equal(access?.label, 'Old');
      assert.equal(access.connection, undefined);
      assert.deepEqual(access.allowedTools, ['list']);
      assert.equal(access.createdAt, Date.parse('2026-01-02T01:04:05.123Z'));
    }
  });

  const cases: readonly [string, object, 'all' | 'none' | 'refused'][] = [
    ['all tools', { allowed_tools: ['*'] }, 'all'],
    ['all tools among names', { allowed_tools: ['list', '*'] }, 'all'],
    ['no tools', { allowed_tools: [] }, 'none'],
    ['null for no tools', { allowed_tools: null }, 'none'],
    ['null for what is optional', { allowed_tools: ['*'], label: null, expires_at: null, revoked_at: null }, 'all'],
    ['an upper-case hash', { allowed_tools: ['*'], hash: hash.toUpperCase() }, 'all'],
    ['a token that was revoked', { revoked: true, revoked_at: '2026-03-01T00:00:00Z' }, 'refused'],
    ['a token that is over', { expires_at: '2026-03-01T00:00:00Z' }, 'refused'],
    ['a token that will be over', { allowed_tools: ['*'], expires_at: '2099-03-01T00:00:00Z' }, 'all'],
  ];
  for (const [name, change, expected] of cases) {
    it(`P42 has ${name}`, async () => {
      const access = (await loaded(change)).registry.use(TOKEN, 'notes');
      const tools = { all: '*', none: [], refused: undefined }[expected];
      assert.deepEqual(access?.allowedTools, tools);
    });
  }

  it('P42 becomes version 2 with the next change, and its tokens stay', async () => {
    const before = await loaded({ agent_name: 'agent', expires_at: '2099-03-01T00:00:00Z' });
    assert.equal(before.file.document.version, 1);
    await before.registry.createToken(BY_HAND);
    const { document } = before.file;
    assert.equal(document.version, 2);
    assert.deepEqual(document.tokens['tok-1'], {
      ...entry,
      agent_name: 'agent',
      created_at: '2026-01-02T01:04:05.123Z',
      expires_at: '2099-03-01T00:00:00.000Z',
      kind: 'token',
      family: 'tok-1',
      generation: 1,
      used: false,
    });
    const after = await before.reload();
    assert.deepEqual(after.registry.use(TOKEN, 'files')?.allowedTools, ['list']);
  });

  it('P42 of version 2 by another program loads, too, without anything of ours', async () => {
    const file = new MemoryRegistryFile();
    const refresh = { refresh_token_hash: hash.replaceAll('a', 'b'), refresh_expires_at: '2099-01-01T00:00:00Z' };
    file.text = JSON.stringify({
      version: 2,
      tokens: {
        'tok-1': { ...entry, ...refresh },
        'tok-2': { ...entry, id: 'tok-2', hash: 'f'.repeat(64), refresh_token_hash: '' },
      },
    });
    const { registry } = await createRegistryFixture({ file });
    assert.notEqual(registry.use(TOKEN, 'notes'), undefined);
    assert.equal(registry.accesses.length, 2);
  });
});

describe('a registry that cannot be used', () => {
  it('P42 lets nobody in, writes nothing, and is read again when asked to', async () => {
    const token = await fixture.registry.createToken(BY_HAND);
    const { text = '' } = fixture.file;
    const file = new MemoryRegistryFile();
    file.text = '{';
    const broken = createRegistryFixture({ file, connections: fixture.connections });
    await assert.rejects(broken);
    const { LocalAccessRegistry } = await import('../../../src/gateway/authorization/localAccessRegistry.ts');
    const { clock, connections, lifetimes, loadKeys, log } = fixture;
    const registry = new LocalAccessRegistry({ file, clock, connections, log, loadKeys, lifetimes: () => lifetimes });
    await assert.rejects(registry.load());
    assert.equal(registry.problem?.code, 'unexpected');
    assert.equal(registry.use(token, 'notes'), undefined);
    assert.deepEqual(registry.accesses, []);
    await assert.rejects(registry.createToken(BY_HAND), (error) => isConnectionError(error, 'unexpected'));
    await registry.dispose();
    assert.equal(file.text, '{');
    file.text = text;
    await registry.load();
    assert.equal(registry.problem, undefined);
    assert.notEqual(registry.use(token, 'notes'), undefined);
  });
});
