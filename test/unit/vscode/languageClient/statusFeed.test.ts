import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as settled } from 'node:timers/promises';
import type { Connection } from '../../../../src/connections/connection.ts';
import type { ConnectionChange } from '../../../../src/connections/connectionService.ts';
import { deferred } from '../../../../src/connections/deferred.ts';
import { Emitter } from '../../../../src/connections/emitter.ts';
import type { ServerStatus } from '../../../../src/mcpConfig/languageProtocol.ts';
import type { RoleState } from '../../../../src/owner/windowRole.ts';
import { OAuthError } from '../../../../src/oauth/errors.ts';
import { ChangeBatches } from '../../../../src/vscode/changeBatches.ts';
import { StatusFeed } from '../../../../src/vscode/languageClient/statusFeed.ts';
import { Ticker } from '../../../../src/vscode/ticker.ts';
import { ManualClock, MemoryLog } from '../../../headless/memoryPorts.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../../connectionFixture.ts';

function ready(id: string, change: Partial<Connection> = {}): Connection {
  const grant = grantWith({ expiresAt: NOW + 42.5 * MINUTE_MS });
  return connectionIn({ type: 'ready', grant }, { id, slug: id, name: id, ...change });
}

const fail = (error: unknown): never => assert.fail(String(error));

describe('the language server is told of the connections', () => {
  let clock: ManualClock;
  let connections: Connection[];
  let changes: Emitter<ConnectionChange>;
  let roles: Emitter<RoleState>;
  let port: number | undefined;
  let asked: string[];
  let sent: (readonly ServerStatus[])[];
  let sending: Promise<void>;
  let feed: StatusFeed;

  beforeEach(() => {
    clock = new ManualClock(NOW);
    connections = [ready('a'), ready('b')];
    changes = new Emitter(fail);
    roles = new Emitter(fail);
    port = 1;
    asked = [];
    sent = [];
    sending = Promise.resolve();
    const service = {
      get connections() {
        return connections;
      },
      onDidChangeConnection: (listener: (change: ConnectionChange) => void) => changes.listen(listener),
      deviceAuthorization: () => undefined,
    };
    const gateway = {
      gatewayUrl: async (id: string) => {
        asked.push(id);
        if (port === undefined) throw new Error('no gateway');
        return `http://127.0.0.1:${port}/${id}/mcp`;
      },
    };
    const role = { onDidChange: (listener: (state: RoleState) => void) => roles.listen(listener) };
    const ticker = new Ticker(clock);
    const batches = new ChangeBatches(service, ticker, fail);
    feed = new StatusFeed(
      { service, batches, gateway, role, ticker, clock, log: new MemoryLog() },
      async (statuses) => {
        sent.push(statuses);
        await sending;
      },
    );
  });

  async function change(...now: Connection[]): Promise<void> {
    connections = now;
    const [connection] = now;
    if (connection !== undefined) changes.fire({ type: 'changed', connection });
    await gathered();
  }

  /** Changes that come together are told together. */
  async function gathered(): Promise<void> {
    clock.advance(20);
    await settled();
  }

  async function start(): Promise<void> {
    feed.restart();
    await settled();
  }

  const texts = () => sent.map((statuses) => statuses.map(({ name, text }) => `${name}: ${text}`));

  test('all of them at the start, with their URLs at the gateway', async () => {
    await start();
    assert.deepEqual(texts(), [['a: expires in 42 min · 1 scope', 'b: expires in 42 min · 1 scope']]);
    assert.deepEqual(
      sent[0]?.map(({ gatewayUrl }) => gatewayUrl),
      ['http://127.0.0.1:1/a/mcp', 'http://127.0.0.1:1/b/mcp'],
    );
  });

  test('all of them again after a change, and not when there is nothing new', async () => {
    await start();
    await change(ready('a'));
    await change(ready('a'));
    assert.deepEqual(texts().slice(1), [['a: expires in 42 min · 1 scope']]);
    await start();
    assert.equal(sent.length, 3, 'a new server knows nothing yet');
  });

  test('of many changes at once in one message, and of those meanwhile in the next', async () => {
    const { promise, resolve } = deferred<void>();
    sending = promise;
    feed.restart();
    for (let n = 0; n < 100; n += 1) {
      connections = [ready(`n${n}`)];
      for (const connection of connections) changes.fire({ type: 'added', connection });
    }
    await gathered();
    await change(ready('last'));
    assert.equal(sent.length, 1, 'one is on its way');
    resolve();
    await settled();
    assert.deepEqual(texts().at(-1), ['last: expires in 42 min · 1 scope']);
    assert.equal(sent.length, 2);
  });

  test('by time only while somebody looks, as often as the tree is drawn', async () => {
    await start();
    clock.advance(5 * MINUTE_MS);
    await settled();
    assert.equal(sent.length, 1);
    feed.setSeen(true);
    await settled();
    assert.equal(texts().at(-1)?.[0], 'a: expires in 37 min · 1 scope');
    for (let seconds = 0; seconds < 60; seconds += 30) {
      clock.advance(30_000);
      await settled();
    }
    assert.equal(texts().at(-1)?.[0], 'a: expires in 36 min · 1 scope');
    assert.equal(sent.length, 3);
    feed.setSeen(false);
    clock.advance(5 * MINUTE_MS);
    await settled();
    assert.equal(sent.length, 3);
  });

  test('each second while one counts them', async () => {
    const error = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
    connections = [connectionIn({ type: 'unreachable', grant: grantWith(), error, retryAt: NOW + 20_000 })];
    feed.setSeen(true);
    await start();
    clock.advance(1000);
    await settled();
    assert.deepEqual(texts(), [['Name: offline, retrying in 20 s'], ['Name: offline, retrying in 19 s']]);
  });

  test('and the gateway is asked for one of them, again when it may have moved', async () => {
    await start();
    assert.deepEqual(asked, ['a']);
    port = 2;
    roles.fire({ type: 'idle' });
    await settled();
    assert.deepEqual(asked, ['a', 'a']);
    assert.equal(sent.at(-1)?.[1]?.gatewayUrl, 'http://127.0.0.1:2/b/mcp');
    port = undefined;
    await change(ready('a'), ready('c'));
    assert.deepEqual(
      sent.at(-1)?.map(({ gatewayUrl }) => gatewayUrl),
      ['http://127.0.0.1:2/a/mcp', 'http://127.0.0.1:2/c/mcp'],
      'it keeps its port while it cannot be asked',
    );
  });

  test('none while there is no gateway', async () => {
    port = undefined;
    await start();
    assert.deepEqual(sent, [[]]);
    port = 1;
    await change(...connections);
    assert.equal(sent.at(-1)?.length, 2);
  });

  test('again with the next change when it could not be told', async () => {
    sending = Promise.reject(new Error('it has just crashed'));
    await start();
    sending = Promise.resolve();
    await change(...connections);
    assert.equal(sent.length, 2);
  });

  test('no more after its end', async () => {
    feed.setSeen(true);
    await start();
    feed.dispose();
    await change(ready('z'));
    clock.advance(60 * MINUTE_MS);
    await settled();
    assert.equal(sent.length, 1);
  });
});
