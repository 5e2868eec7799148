import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { UPGRADE_ANSWER, upgradeRequest } from '../../../src/owner/greeting.ts';
import { peek } from '../../../src/owner/knock.ts';
import { MemorySecretStore } from '../../headless/memoryPorts.ts';
import type { TestWindow } from '../../headless/testWindow.ts';
import { PROTOCOL_VERSION } from '../../../src/owner/windowProtocol.ts';
import { newUser, ownerAndGuest } from './windows.ts';

async function portOf(folder: string): Promise<number> {
  const { port } = JSON.parse(await readFile(path.join(folder, 'port.json'), 'utf8'));
  return Number(port);
}

async function listen(t: TestContext, server: Server, port: number): Promise<number> {
  t.after(() => server.close());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** Asks to be let in, and gives what is said until the end. */
async function sayAndHear(port: number, text: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text);
  let heard = '';
  socket.on('data', (chunk) => (heard += chunk.toString('latin1')));
  await once(socket, 'close');
  return heard;
}

async function isBlocked(window: TestWindow, port: number): Promise<void> {
  await assert.rejects(window.role.ensureReady(), { code: 'port_busy', details: { port } });
  assert.equal(window.role.state.type, 'blocked');
}

describe('a stranger on the port', () => {
  const strangers: readonly (readonly [string, () => Server])[] = [
    ['a web server', () => createHttpServer((_, response) => void response.end('hello'))],
    ['a server that says nothing', () => createServer(() => undefined)],
    ['a server that hangs up', () => createServer((socket) => void socket.destroy())],
    [
      'a server that talks without an end',
      () =>
        createServer((socket) => {
          socket.on('error', () => undefined);
          socket.write(Buffer.alloc(4 * 1024 * 1024, 65));
        }),
    ],
  ];
  for (const [what, start] of strangers) {
    it(`P18 (${what}) is told, and nothing moves silently`, { timeout: 60_000 }, async (t) => {
      const { folder, keychain, open } = await newUser(t);
      keychain.state = 'refusesReads';
      const port = await listen(t, start(), 0);
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, 'port.json'), JSON.stringify({ version: 1, port }));
      await isBlocked(open('window'), port);
      assert.equal(await portOf(folder), port);
      assert.equal(keychain.reads, 0, 'the person is asked for no keychain because of it');
    });
  }

  it('P18 that relays to the real owner on another port is none', async (t) => {
    const { owner, folder, keychain, open } = await ownerAndGuest(t);
    const ownerPort = await portOf(folder);
    const heard: Buffer[] = [];
    const relay = createServer((socket) => {
      const behind = connect(ownerPort, '127.0.0.1');
      for (const end of [socket, behind]) end.on('error', () => undefined);
      // The address in the request is the one thing that is not proved: so it is mended on the way.
      socket.once('data', (first) => {
        behind.write(first.toString('latin1').replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${ownerPort}`));
        socket.on('data', (chunk: Buffer) => {
          heard.push(chunk);
          behind.write(chunk);
        });
      });
      behind.pipe(socket);
      for (const [end, other] of [
        [socket, behind],
        [behind, socket],
      ] as const)
        end.on('close', () => other.destroy());
    });
    const port = await listen(t, relay, 0);
    const elsewhere = path.join(folder, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(path.join(elsewhere, 'port.json'), JSON.stringify({ version: 1, port }));
    const victim = open('victim', { folder: elsewhere, keychain });
    await isBlocked(victim, port);
    assert.ok(heard.length > 0, 'it was asked');
    assert.ok(
      heard.every(({ length }) => length === 66),
      'it heard no more than a proof that is good for nothing',
    );
    assert.ok(owner.log.lines.some((line) => line.includes('no window of this user')));
  });

  it('is not let in', async (t) => {
    const { folder } = await ownerAndGuest(t);
    const port = await portOf(folder);
    const nonce = await sayAndHear(
      port,
      Buffer.concat([Buffer.from(upgradeRequest(port)), Buffer.alloc(1024 * 1024, 1)]),
    );
    assert.equal(nonce.length, UPGRADE_ANSWER.length + 32);
    const forbidden = await sayAndHear(
      port,
      upgradeRequest(port).replace('\r\n\r\n', '\r\nOrigin: http://127.0.0.1\r\n\r\n'),
    );
    assert.match(forbidden, /^HTTP\/1\.1 403 /);
  });

  it('does not keep guests out by knocking all the time', async (t) => {
    const { folder, open, guest, id } = await ownerAndGuest(t);
    const port = await portOf(folder);
    const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.write(upgradeRequest(port));
      socket.resume();
    }
    const ended = (): number => sockets.filter(({ closed }) => closed).length;
    while (ended() < 12) await nextTurn();
    assert.equal(ended(), 12, 'at most eight wait to prove themselves');
    assert.equal((await guest.connections.refresh(id)).state.type, 'ready', 'a guest that is in stays in');
    const late = open('late');
    await late.role.look();
    assert.equal(late.role.state.type, 'guest', 'one of the eight makes way');
    assert.ok(ended() > 12);
    while (ended() < 20) await nextTurn();
  });
});

describe('somebody who ends just now', () => {
  it('is knocked at over and over, and leaves nothing behind', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => socket.destroy()),
      0,
    );
    const { signal } = new AbortController();
    for (let knocks = 0; knocks < 3; knocks += 1) assert.equal(await peek({ port, signal }), 'gone');
    // A socket is closed some turns after it has ended for who reads it.
    const left = (): number => getEventListeners(signal, 'abort').length;
    for (let turns = 0; turns < 100 && left() > 0; turns += 1) await nextTurn();
    assert.equal(left(), 0);
  });

  it('is left when the window closes meanwhile', async (t) => {
    const port = await listen(t, createServer(), 0);
    const leaving = new AbortController();
    const peeked = peek({ port, signal: leaving.signal });
    leaving.abort();
    assert.equal(await peeked, 'gone');
  });
});

describe('a crowd of strangers', () => {
  it('P18 that comes back as soon as it is turned away keeps no guest out', async (t) => {
    const { folder, open } = await ownerAndGuest(t);
    const port = await portOf(folder);
    const crowd = new Set<Socket>();
    let isOver = false;
    const turnedAway: Socket[] = [];
    const join = (): void => {
      const socket = connect(port, '127.0.0.1');
      crowd.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        crowd.delete(socket);
        turnedAway.push(socket);
        // As by another user of this machine, who need not hurry for that.
        if (!isOver) setTimeout(join, 10);
      });
      socket.write(upgradeRequest(port));
      socket.resume();
    };
    t.after(() => {
      isOver = true;
      for (const socket of crowd) socket.destroy();
    });
    for (let members = 0; members < 40; members += 1) join();
    while (turnedAway.length < 40) await nextTurn();
    const late = open('late');
    await late.role.ensureReady();
    assert.equal(late.role.state.type, 'guest');
  });
});

describe('a guest without the key', () => {
  it('is told that the keychain is locked, loses nothing, and goes on when it is open', async (t) => {
    const { folder, keychain, open, id } = await ownerAndGuest(t);
    const locked = new MemorySecretStore();
    locked.state = 'locked';
    const window = open('locked', { keychain: locked });
    const entries = [...keychain.entries];
    await window.role.look();
    const { state } = window.role;
    assert.ok(state.type === 'blocked' && isConnectionError(state.error, 'keychain_locked'));
    assert.deepEqual([...keychain.entries], entries);
    assert.equal(locked.entries.size, 0);
    for (const [name, value] of keychain.entries) locked.entries.set(name, value);
    locked.state = 'open';
    await window.role.look();
    assert.equal(window.role.state.type, 'guest');
    assert.equal(window.connections.get(id)?.state.type, 'ready');
    assert.ok(folder.length > 0);
  });

  it('P29 is found by the guest that takes the owner’s place while the keychain is locked', async (t) => {
    const { keychain, owner, guest, open, id } = await ownerAndGuest(t);
    const other = open('other');
    await other.role.look();
    keychain.state = 'locked';
    await owner.dispose();
    while ([guest, other].every(({ role }) => role.state.type === 'guest')) await nextTurn();
    await Promise.all([guest.role.ensureReady(), other.role.ensureReady()]);
    assert.deepEqual([guest, other].map(({ role }) => role.state.type).toSorted(), ['guest', 'owner']);
    assert.equal(other.connections.get(id)?.id, id);
  });

  it('of this user is a stranger', async (t) => {
    const { folder, open } = await ownerAndGuest(t);
    const other = new MemorySecretStore();
    other.entries.set('owner-key', Buffer.alloc(32, 1).toString('base64url'));
    await isBlocked(open('another user', { keychain: other }), await portOf(folder));
  });
});

describe('windows of different versions', () => {
  it('an older owner gives way to a newer guest, and says that it is to be reloaded', async (t) => {
    const { owner, guest, id, open, folder } = await ownerAndGuest(t);
    const port = await portOf(folder);
    const newer = open('newer', { version: PROTOCOL_VERSION + 1 });
    await newer.role.look();
    assert.equal(newer.role.state.type, 'owner');
    assert.equal(await portOf(folder), port);
    for (const { role } of [owner, guest]) {
      // The guest may still have to hear that its owner is gone.
      while (role.state.type !== 'blocked') await nextTurn();
      await assert.rejects(role.ensureReady(), { code: 'window_outdated' });
    }
    assert.equal((await newer.connections.refresh(id)).state.type, 'ready');
    await assert.rejects(guest.connections.refresh(id), { code: 'window_outdated' });
  });

  it('P29 an older owner writes nothing any more, whatever was under way', async (t) => {
    const { owner, id, open, folder, server } = await ownerAndGuest(t);
    // Longer than it is waited for.
    server.faults.delayMs = { revocation: 6000 };
    const disconnected = owner.connections.disconnect(id);
    disconnected.catch(() => undefined);
    while (server.requestsTo('revocation').length === 0) await nextTurn();
    const newer = open('newer', { version: PROTOCOL_VERSION + 1 });
    await newer.role.look();
    assert.equal(newer.role.state.type, 'owner');
    const added = await newer.connections.add('https://mcp.example.com/mcp');
    await Promise.allSettled([disconnected]);
    await assert.rejects(owner.manager.save(), { code: 'owner_gone' });
    const stored = await readFile(path.join(folder, 'connections.json'), 'utf8');
    assert.ok(stored.includes(added.id), 'what the new owner has written is there');
  });

  it('an older guest of a newer owner is told to be reloaded', async (t) => {
    const { open, server } = await newUser(t);
    const newer = open('newer', { version: PROTOCOL_VERSION + 1 });
    await newer.connections.add(server.mcpUrl);
    const older = open('older');
    await assert.rejects(older.role.ensureReady(), { code: 'window_outdated' });
    assert.equal(newer.role.state.type, 'owner');
  });
});
