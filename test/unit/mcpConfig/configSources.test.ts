import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientOf } from './clientOf.ts';
import { GATEWAY_URL } from './entryShapes.ts';
import { fileShapes } from './fileShapes.ts';
import { CLIENT_IDS } from '../../../src/mcpConfig/configClient.ts';
import { configSources, readSections } from '../../../src/mcpConfig/configSources.ts';
import { addServer, readServers, removeServer } from '../../../src/mcpConfig/configServers.ts';
import { routeServer } from '../../../src/mcpConfig/routedEntry.ts';

const claudeState = fileShapes.find(({ title }) => title.includes('single folders'))?.text ?? '';
const claude = clientOf('claude-code');

test('the files are those of the person, and of each folder that may be read', () => {
  const environment = { platform: 'linux', home: '/home/me' } as const;
  const own = configSources(environment, []);
  assert.deepEqual(new Set(own.map(({ client }) => client.id)), new Set(CLIENT_IDS));
  assert.ok(own.every(({ file }) => file.scope === 'user'));
  const both = configSources(environment, ['/a', '/b']);
  const paths = both.map(({ file }) => file.path);
  assert.equal(new Set(paths).size, paths.length, 'a file is there twice');
  assert.deepEqual(
    paths.filter((path) => path.endsWith('.cursor/mcp.json')),
    ['/home/me/.cursor/mcp.json', '/a/.cursor/mcp.json', '/b/.cursor/mcp.json'],
  );
});

describe('Claude Code’s servers of a single folder', () => {
  const [general, folder, ...others] = readSections(claudeState, claude);

  test('are found beside those for all folders', () => {
    assert.deepEqual(others, []);
    assert.deepEqual([general?.folder, folder?.folder], [undefined, '/home/me/site']);
    assert.deepEqual(
      [general, folder].map((section) => section?.servers.map(({ entry }) => structuredClone(entry))),
      [[{ type: 'http', url: 'https://mcp.sentry.dev/mcp' }], [{ type: 'http', url: 'https://elsewhere.example/mcp' }]],
    );
  });

  test('are edited, and nothing else is', () => {
    assert.ok(folder);
    const edit = routeServer(claudeState, folder.format, 'sentry', GATEWAY_URL);
    assert.deepEqual(edit, {
      type: 'edited',
      text: claudeState.replace('https://elsewhere.example/mcp', GATEWAY_URL),
    });
    const added = addServer(claudeState, folder.format, { name: 'b', entry: { url: GATEWAY_URL } });
    assert.equal(added.type, 'edited');
    const text = added.type === 'edited' ? added.text : '';
    assert.deepEqual(
      readServers(text, claude).servers.map(({ entry }) => entry),
      general?.servers.map(({ entry }) => entry),
    );
    const removed = removeServer(text, folder.format, 'b');
    assert.equal(removed.type === 'edited' && removed.text.replaceAll(/\s/g, ''), claudeState.replaceAll(/\s/g, ''));
  });

  for (const text of ['', '{', '[]', '{ "projects": 1 }', '{ "projects": { "/a": [], "/b": {}, "/c": 1 } }']) {
    test(`there are none in ${text}`, () => assert.equal(readSections(text, claude).length, 1));
  }

  test('in something that is no object there are none, and they are not edited', () => {
    const text = '{ "projects": { "/a": { "mcpServers": { "x": { "url": "https://x.example" } } } }, "projects": 1 }';
    const format = { ...claude, within: ['projects', '/a'] };
    assert.deepEqual(
      readServers(text, format).problems.map(({ type }) => type),
      ['duplicate', 'not_an_object'],
    );
    assert.equal(routeServer(text, format, 'x', GATEWAY_URL).type, 'broken');
  });
});
