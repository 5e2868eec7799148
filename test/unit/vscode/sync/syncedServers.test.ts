import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  isSameList,
  offersOf,
  readDismissed,
  readSynced,
  type SyncedServer,
  withoutServer,
  withServers,
} from '../../../../src/vscode/sync/syncedServers.ts';

function server(host: string, name = host): SyncedServer {
  return { name, serverUrl: `https://${host}.example/mcp` };
}

describe('what Settings Sync carries', () => {
  for (const serverUrl of [
    'http://127.0.0.1:3000/notes/mcp',
    'https://localhost/mcp',
    'https://app.localhost/mcp',
    'https://127.0.0.1/mcp',
    'https://[::1]/mcp',
    'https://192.168.1.4/mcp',
    'https://0x7f000001/mcp',
    'https://notes.example/mcp?key=secret',
    'https://notes.example/api/mcp/s/NmY4ZDEyLTQ1ZmEtOTk/mcp',
    'https://user:password@notes.example/mcp',
    'https://notes.example/mcp#part',
    'http://notes.example/mcp',
    'file:///etc/passwd',
    'command:workbench.action.quit',
    `https://notes.example/${'x'.repeat(500)}`,
    '',
  ]) {
    it(`is never ${serverUrl.slice(0, 50)}`, () => {
      assert.deepEqual(withServers([], [{ name: 'x', serverUrl }]), []);
      assert.deepEqual(readSynced([{ name: 'x', serverUrl }]), []);
    });
  }

  it('is name and URL, and nothing else of a connection', () => {
    const connection = { ...server('notes', 'Notes'), id: 'id', settings: { scopes: ['a'] }, account: 'someone' };
    assert.deepEqual(withServers([], [connection]), [server('notes', 'Notes')]);
    assert.deepEqual(readSynced([connection]), [server('notes', 'Notes')]);
  });

  it('has the newest name, and keeps what another computer has', () => {
    const before = [server('mail'), server('notes', 'Old')];
    assert.deepEqual(withServers(before, [server('notes', 'New')]), [server('mail'), server('notes', 'New')]);
  });

  it('has the name that one of several connections with its URL has, and keeps it', () => {
    const here = [server('notes', 'Home'), server('notes', 'Work')];
    for (const name of ['Home', 'Work']) {
      assert.deepEqual(withServers([server('notes', name)], here), [server('notes', name)]);
    }
    assert.deepEqual(withServers([server('notes', 'Old')], here), [server('notes', 'Home')]);
    assert.deepEqual(withServers([], here), [server('notes', 'Home')]);
    const long = 'n'.repeat(100);
    assert.deepEqual(withServers([server('notes', long.slice(0, 79) + '…')], [server('notes', long)]).length, 1);
  });

  it('is without a server that was removed here, unless it is here twice', () => {
    const before = [server('mail'), server('notes')];
    assert.deepEqual(withoutServer(before, server('notes').serverUrl, [server('mail')]), [server('mail')]);
    assert.deepEqual(withoutServer(before, server('notes').serverUrl, [server('notes')]), before);
  });

  it('is bounded', () => {
    const many = Array.from({ length: 300 }, (_, index) => server(`s${index}`));
    assert.equal(withServers([], many).length, 200);
    assert.equal(readSynced(many).length, 200);
    assert.equal(withServers([], [server('notes', 'n'.repeat(500))])[0]?.name.length, 80);
  });

  it('is read entry by entry, whatever it holds', () => {
    const good = server('notes');
    assert.deepEqual(readSynced([null, 'x', {}, { name: 1, serverUrl: 2 }, good, good, { ...good, name: 'b' }]), [
      good,
    ]);
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const { name, serverUrl } of readSynced(value)) {
          assert.ok(name.length <= 80 && serverUrl.startsWith('https://'));
        }
        assert.ok(readDismissed(value).every((url) => typeof url === 'string'));
      }),
    );
  });
});

describe('what is offered on another computer', () => {
  it('is what is not here, and was not removed here', () => {
    const synced = [server('mail'), server('notes'), server('files')];
    assert.deepEqual(offersOf(synced, [server('mail')], [server('files').serverUrl]), [server('notes')]);
  });
});

describe('a list', () => {
  for (const [one, other, isSame] of [
    [[], [], true],
    [[server('a')], [server('a')], true],
    [[server('a')], [], false],
    [[server('a')], [server('a', 'b')], false],
    [[server('a')], [server('b', 'a')], false],
  ] as const) {
    it(`${JSON.stringify(one)} is ${isSame ? '' : 'not '}${JSON.stringify(other)}`, () => {
      assert.equal(isSameList(one, other), isSame);
    });
  }
});
