import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientOf } from './clientOf.ts';
import { fileShapes } from './fileShapes.ts';
import { CLIENT_IDS, type RemoteServer } from '../../../src/mcpConfig/configClient.ts';
import { addServer, readServers, removeServer, type ConfigEdit } from '../../../src/mcpConfig/configServers.ts';

const URL_ = 'http://127.0.0.1:41999/sample/mcp';
const remote: RemoteServer = { url: URL_, access: { type: 'sign-in' } };

function textOf(edit: ConfigEdit): string {
  assert.equal(edit.type, 'edited', JSON.stringify(edit));
  return edit.type === 'edited' ? edit.text : '';
}

/** The lines of `text` that are not in `other`, in their order. */
function linesOnlyIn(text: string, other: string): string[] {
  const known = other.split('\n');
  return text.split('\n').filter((line) => {
    const at = known.indexOf(line);
    if (at !== -1) known.splice(at, 1);
    return at === -1;
  });
}

describe('every client', () => {
  for (const { title, client: id, text, servers } of fileShapes) {
    const client = clientOf(id);
    const added = () => textOf(addServer(text, client, { name: 'sample', entry: client.entry(remote) }));

    test(`${title}: its servers are found, with the ranges of their names`, () => {
      const read = readServers(text, client);
      assert.deepEqual(read.problems, []);
      assert.deepEqual(
        read.servers.map(({ name }) => name),
        servers,
      );
      for (const { name, nameRange, properties } of read.servers) {
        const written = text.slice(nameRange.offset, nameRange.offset + nameRange.length);
        assert.ok([name, JSON.stringify(name)].includes(written), written);
        for (const { value, range } of properties) {
          const source = text.slice(range.offset, range.offset + range.length);
          assert.ok(source.includes(String(value).trim().split('\n')[0] ?? ''), `${source} is not ${String(value)}`);
        }
      }
    });

    test(`${title}: a server is added, and nothing else changes`, () => {
      const after = added();
      const read = readServers(after, client);
      assert.deepEqual(read.problems, []);
      assert.deepEqual(
        read.servers.map(({ name }) => name),
        [...servers, 'sample'],
      );
      assert.deepEqual(structuredClone(read.servers.at(-1)?.entry), client.entry(remote));
      // What was there is there, in its order: only commas and the new lines came in.
      let at = 0;
      for (const character of text.trimEnd()) {
        at = after.indexOf(character, at) + 1;
        assert.notEqual(at, 0, `${character} is gone`);
      }
      assert.equal(after.includes('\r\n'), text.includes('\r\n'));
      assert.equal(/(?<!\r)\n/.test(after), /(?<!\r)\n/.test(text));
    });

    test(`${title}: what was added is taken out again`, () => {
      const after = textOf(removeServer(added(), client, 'sample'));
      assert.deepEqual(
        readServers(after, client).servers.map(({ entry }) => structuredClone(entry)),
        readServers(text, client).servers.map(({ entry }) => structuredClone(entry)),
      );
      assert.deepEqual(
        linesOnlyIn(text, after).map((line) => line.replace(/,(?=\s*(?:\/|$))/, '')),
        linesOnlyIn(after, text).map((line) => line.replace(/,(?=\s*(?:\/|$))/, '')),
      );
    });

    test(`${title}: a server of the same name gives way only when told`, () => {
      const name = servers[0] ?? '';
      const server = { name, entry: client.entry(remote) };
      const first = addServer(text, client, server);
      assert.equal(first.type, 'exists');
      const read = readServers(textOf(addServer(text, client, server, true)), client);
      assert.deepEqual(read.problems, []);
      assert.deepEqual(structuredClone(read.servers.find((one) => one.name === name)?.entry), server.entry);
      assert.deepEqual(new Set(read.servers.map((one) => one.name)), new Set(servers));
    });

    test(`${title}: any of its servers is taken out, and the others stay`, () => {
      for (const name of servers) {
        const read = readServers(textOf(removeServer(text, client, name)), client);
        assert.deepEqual(
          read.servers.map((one) => one.name),
          servers.filter((one) => one !== name),
        );
      }
      assert.deepEqual(removeServer(text, client, 'nobody'), { type: 'missing' });
    });

    test(`${title}: broken at its end, it is left alone, and its servers are still found`, () => {
      const broken = client.syntax === 'toml' ? `${text}\n[oh no` : text.trimEnd().slice(0, -1);
      assert.equal(addServer(broken, client, { name: 'sample', entry: client.entry(remote) }).type, 'broken');
      assert.equal(removeServer(broken, client, servers[0] ?? '').type, 'broken');
      const read = readServers(broken, client);
      assert.notDeepEqual(read.problems, []);
      assert.deepEqual(
        read.servers.map(({ name }) => name),
        servers,
      );
    });
  }

  for (const id of CLIENT_IDS) {
    for (const text of ['', '\n', '  \n\n']) {
      test(`${id}: ${JSON.stringify(text)} becomes a whole file`, () => {
        const client = clientOf(id);
        const after = textOf(addServer(text, client, { name: 'sample', entry: client.entry(remote) }));
        assert.ok(after.endsWith('\n'));
        const [server] = readServers(after, client).servers;
        assert.deepEqual([server?.name, structuredClone(server?.entry)], ['sample', client.entry(remote)]);
      });
    }
  }
});
