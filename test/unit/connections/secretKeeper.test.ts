import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { type ConnectionParts, connectionParts } from '../../headless/connectionParts.ts';

const SERVER_URL = 'https://example.com/mcp';

function secret(generation: number): ConnectionSecret {
  return { version: 1, generation, serverUrl: SERVER_URL };
}

let parts: ConnectionParts;

beforeEach(async () => {
  parts = connectionParts();
  await parts.add('c');
});

/** Lets all end that waits for nothing from outside. */
async function settled(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

const locked = (error: unknown): boolean => isConnectionError(error, 'keychain_locked');
const unreadable = (error: unknown): boolean => isConnectionError(error, 'secret_unreadable');

/** The keys of what is written from now on, in order. */
function watchWrites(): string[] {
  const written: string[] = [];
  const set = parts.keychain.set.bind(parts.keychain);
  parts.keychain.set = async (key, value) => {
    written.push(key);
    await set(key, value);
  };
  return written;
}

describe('a secret in use', () => {
  it('is read when it is first needed, then known', async () => {
    parts.place('c', {});
    assert.deepEqual(await parts.secrets.current('c', SERVER_URL), secret(1));
    const { reads } = parts.keychain;
    assert.deepEqual(await parts.secrets.current('c', SERVER_URL), secret(1));
    assert.equal(parts.keychain.reads, reads);
    assert.deepEqual(parts.read, [secret(1)]);
  });

  it('is none for a connection that never had one, and nobody is told of a read', async () => {
    assert.equal(await parts.secrets.current('c', SERVER_URL), undefined);
    assert.equal(await parts.secrets.newest('unknown', SERVER_URL), undefined);
    assert.deepEqual(parts.read, []);
    assert.equal(parts.keychain.reads, 0);
  });

  it('P30 gives way to a newer stored one, and to one of its own age, and not to an older one', async () => {
    parts.place('c', { generation: 3 });
    assert.equal((await parts.secrets.newest('c', SERVER_URL))?.generation, 3);
    parts.place('c', { generation: 4 });
    assert.equal((await parts.secrets.newest('c', SERVER_URL))?.generation, 4);
    const same = parts.place('c', { generation: 4, answered: 2 });
    assert.deepEqual(await parts.secrets.newest('c', SERVER_URL), same);
    parts.place('c', { generation: 2 });
    assert.equal((await parts.secrets.newest('c', SERVER_URL))?.generation, 4);
    assert.equal((await parts.secrets.current('c', SERVER_URL))?.generation, 4);
  });

  it('serves while the keychain cannot, and nobody is told', async () => {
    parts.place('c', {});
    await parts.secrets.current('c', SERVER_URL);
    parts.keychain.state = 'locked';
    assert.deepEqual(await parts.secrets.newest('c', SERVER_URL), secret(1));
    assert.deepEqual(parts.troubles, []);
    await parts.secrets.dispose();
    await assert.rejects(parts.secrets.newest('c', SERVER_URL), locked, 'not after the end');
  });

  it('that is hidden is told, with what hides it; one that cannot be read is no fault of the keychain', async () => {
    parts.place('c', {});
    parts.keychain.entries.set('connection:c', 'broken');
    await assert.rejects(parts.secrets.newest('c', SERVER_URL), unreadable);
    assert.equal(parts.troubles.length, 0);
    parts.keychain.state = 'locked';
    await assert.rejects(parts.secrets.newest('c', SERVER_URL), locked);
    assert.deepEqual(
      parts.troubles.map((trouble) => trouble && [trouble.effect, trouble.error.code]),
      [['hidden', 'keychain_locked']],
    );
    assert.equal(parts.secrets.retryAt, parts.clock.now() + 2500);
  });

  it('P36 is for its own server alone', async () => {
    parts.place('c', {});
    const asked = parts.secrets.newest('c', 'https://other.example/mcp');
    await assert.rejects(asked, (error) => isConnectionError(error, 'secret_unreadable') && error.details.id === 'c');
    assert.deepEqual(parts.read, []);
  });
});

describe('a secret that is kept', () => {
  it('is stored and in use, and its place is noted', async () => {
    await parts.secrets.keep('c', secret(2));
    assert.deepEqual(parts.placed('c'), secret(2));
    const { reads } = parts.keychain;
    assert.deepEqual(await parts.secrets.current('c', SERVER_URL), secret(2));
    assert.equal(parts.keychain.reads, reads);
    const { generation, secretIn } = parts.records.get('c');
    assert.deepEqual([generation, secretIn], [2, 'keychain']);
    assert.equal(await parts.secrets.tryKeep('c', secret(3)), undefined);
  });

  it('P28 is in use though no store takes it, is told, and is stored when one does', async () => {
    parts.keychain.state = parts.editor.state = 'refusesWrites';
    await assert.rejects(parts.secrets.keep('c', secret(1)), (error) => isConnectionError(error, 'keychain_failed'));
    assert.ok(isConnectionError(await parts.secrets.tryKeep('c', secret(2)), 'keychain_failed'));
    assert.deepEqual(await parts.secrets.current('c', SERVER_URL), secret(2));
    assert.deepEqual(
      parts.troubles.map((trouble) => trouble?.effect),
      ['in_memory'],
    );
    assert.equal(parts.records.get('c').secretIn, undefined);
    parts.keychain.state = 'open';
    parts.clock.advance(2500);
    await settled();
    assert.deepEqual(parts.placed('c'), secret(2));
    assert.equal(parts.troubles.at(-1), undefined);
    const written = watchWrites();
    parts.clock.advance(60 * 60_000);
    await parts.secrets.dispose();
    assert.deepEqual(written, [], 'once');
  });

  it('that nothing took is stored at the latest at the end', async () => {
    parts.keychain.state = parts.editor.state = 'refusesWrites';
    await parts.secrets.tryKeep('c', secret(1));
    parts.keychain.state = 'open';
    await parts.secrets.dispose();
    assert.deepEqual(parts.placed('c'), secret(1));
  });

  it('that nothing took, and that was forgotten, is not stored any more', async () => {
    parts.keychain.state = parts.editor.state = 'refusesWrites';
    await parts.secrets.tryKeep('c', secret(1));
    parts.keychain.state = 'open';
    parts.secrets.drop('c');
    assert.equal(await parts.secrets.current('c', SERVER_URL), undefined);
    await parts.secrets.dispose();
    assert.equal(parts.placed('c'), undefined);
  });

  it('by replacing is in use only once it is stored', async () => {
    await parts.secrets.keep('c', secret(1));
    parts.keychain.state = parts.editor.state = 'refusesWrites';
    await assert.rejects(parts.secrets.replace('c', secret(2)));
    assert.deepEqual(await parts.secrets.current('c', SERVER_URL), secret(1));
    assert.deepEqual(parts.troubles, []);
    parts.keychain.state = 'open';
    await parts.secrets.replace('c', secret(3));
    assert.deepEqual(await parts.secrets.current('c', SERVER_URL), secret(3));
    assert.deepEqual(parts.placed('c'), secret(3));
  });
});

describe('secrets in the editor’s storage', () => {
  beforeEach(async () => {
    for (const id of ['d', 'e']) await parts.add(id);
    parts.keychain.state = 'refusesWrites';
    for (const id of ['c', 'd', 'e']) await parts.secrets.keep(id, secret(1));
    assert.deepEqual(parts.placed('e', 'editor'), secret(1));
    assert.deepEqual(
      parts.troubles.map((trouble) => trouble?.effect),
      ['in_editor'],
    );
  });

  it('go back to the keychain all together when that takes one', async () => {
    parts.keychain.state = 'open';
    parts.clock.advance(2500);
    await settled();
    for (const id of ['c', 'd', 'e']) {
      assert.deepEqual([parts.placed(id), parts.placed(id, 'editor')], [secret(1), undefined]);
      assert.equal(parts.records.get(id).secretIn, 'keychain');
    }
    assert.equal(parts.troubles.at(-1), undefined);
  });

  it('wait for the next time with the first that the keychain refuses', async () => {
    const written = watchWrites();
    parts.clock.advance(2500);
    await settled();
    assert.deepEqual(written, ['connections']);
  });

  it('stay where they are when they cannot be read there, and hold nothing up', async () => {
    await parts.secrets.dispose();
    const again = connectionParts();
    await again.add('c');
    await again.add('d');
    again.place('d', {}, 'editor');
    again.place('c', {}, 'editor');
    again.editor.entries.set('connection:c', 'broken');
    await again.add('e');
    again.keychain.state = 'refusesWrites';
    await again.secrets.keep('e', secret(1));
    again.keychain.state = 'open';
    again.clock.advance(2500);
    await settled();
    assert.equal(again.editor.entries.get('connection:c'), 'broken');
    assert.deepEqual([again.placed('d'), again.placed('e')], [secret(1), secret(1)]);
  });

  it('go back as soon as the keychain has given something, each with its next read', async () => {
    parts.keychain.state = 'open';
    parts.keychain.entries.set('connections', '{"version":1,"ids":[]}');
    await parts.secrets.newest('c', SERVER_URL);
    await settled();
    assert.equal(parts.placed('c', 'editor'), undefined);
    assert.deepEqual(parts.placed('c'), secret(1));
  });

  it('are forgotten there', async () => {
    parts.keychain.state = 'open';
    await parts.secrets.forget('d');
    assert.equal(parts.placed('d', 'editor'), undefined);
    assert.equal(parts.records.get('d').secretIn, undefined);
    assert.equal(await parts.secrets.current('d', SERVER_URL), undefined);
  });
});

describe('a secret that is forgotten', () => {
  it('is neither stored nor in use, and its generation stays', async () => {
    await parts.secrets.keep('c', secret(4));
    await parts.secrets.forget('c');
    assert.equal(parts.placed('c'), undefined);
    assert.equal(await parts.secrets.current('c', SERVER_URL), undefined);
    const { generation, secretIn } = parts.records.get('c');
    assert.deepEqual([generation, secretIn], [4, undefined]);
    await parts.secrets.forget('unknown');
  });

  it('stays in use when the store does not give it up', async () => {
    await parts.secrets.keep('c', secret(1));
    parts.keychain.state = 'locked';
    await assert.rejects(parts.secrets.forget('c'), locked);
    assert.deepEqual(await parts.secrets.current('c', SERVER_URL), secret(1));
    assert.equal(parts.records.get('c').secretIn, 'keychain');
  });
});

describe('P29 what reads and stores', () => {
  it('goes one after the other for one connection', async () => {
    const order: string[] = [];
    const first = parts.secrets.exclusive('c', async () => {
      order.push('first');
      await settled();
      order.push('first ends');
      return 1;
    });
    const second = parts.secrets.exclusive('c', async () => void order.push('second'));
    assert.equal(await first, 1);
    await second;
    assert.deepEqual(order, ['first', 'first ends', 'second']);
  });
});
