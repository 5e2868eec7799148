import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientOf } from './clientOf.ts';
import { entryShapes, GATEWAY_URL, type EntryShape } from './entryShapes.ts';
import { CLIENT_IDS } from '../../../src/mcpConfig/configClient.ts';
import { type ConfiguredServer, readServers } from '../../../src/mcpConfig/configServers.ts';
import { entryTokens, urlWithoutTokens } from '../../../src/mcpConfig/entryTokens.ts';
import { entryUrl } from '../../../src/mcpConfig/entryUrl.ts';
import { lostByRouting, routeServer } from '../../../src/mcpConfig/routedEntry.ts';
import { newServer, snippet } from '../../../src/mcpConfig/snippet.ts';
import { applyEdits, smallestEdit } from '../../../src/mcpConfig/textEdits.ts';

function serverOf({ text, client }: Pick<EntryShape, 'text' | 'client'>): ConfiguredServer {
  const { servers, problems } = readServers(text, clientOf(client));
  assert.deepEqual(problems, []);
  const server = servers.find(({ name }) => name === 'it');
  assert.ok(server);
  return server;
}

function bridge(client: string): object {
  return { command: 'npx', args: ['mcp-remote', 'https://a.example', '--static-oauth-client-info', client] };
}

describe('entries of every client', () => {
  for (const shape of entryShapes) {
    const { title, client, text, url, isBridged = false, hasReference = false, tokens = [], routed } = shape;

    test(`${title}: where it leads`, () => {
      const found = entryUrl(serverOf(shape));
      assert.equal(found?.url, url);
      if (found === undefined) return;
      assert.deepEqual([found.isBridged, found.hasReference], [isBridged, hasReference]);
      const { offset, length } = found.property.range;
      assert.equal(text.slice(offset + 1, offset + length - 1), url);
    });

    test(`${title}: its tokens`, () => {
      const found = entryTokens(serverOf(shape));
      assert.deepEqual(
        found.map(({ token, place, canMove, property }) => ({ token, place, canMove, path: property.path.join('.') })),
        tokens,
      );
      for (const { token, property } of found) {
        const { offset, length } = property.range;
        assert.ok(text.slice(offset, offset + length).includes(token));
      }
    });

    test(`${title}: routed through the gateway`, () => {
      const edit = routeServer(text, clientOf(client), 'it', GATEWAY_URL);
      if (url === undefined) {
        assert.deepEqual(edit, { type: 'missing' });
        return;
      }
      assert.equal(edit.type, 'edited', JSON.stringify(edit));
      const after = edit.type === 'edited' ? edit.text : '';
      if (routed !== undefined) assert.equal(after, routed);
      const server = serverOf({ text: after, client });
      assert.equal(entryUrl(server)?.url, GATEWAY_URL);
      assert.deepEqual(
        entryTokens(server).filter(({ canMove }) => canMove),
        [],
      );
      assert.equal(applyEdits(text, [smallestEdit(text, after)]), after);
    });

    test(`${title}: broken, it is left alone`, () => {
      const edit = routeServer(`${text}]`, clientOf(client), 'it', GATEWAY_URL);
      assert.equal(edit.type, 'broken');
    });
  }

  test('an entry that is not there is not routed', () => {
    assert.deepEqual(routeServer('{}', clientOf('cursor'), 'it', GATEWAY_URL), { type: 'missing' });
  });

  for (const id of CLIENT_IDS) {
    test(`${id}: the URL is found in what was written, also behind a bridge`, () => {
      const client = clientOf(id);
      const server = newServer(client, 'it', { url: GATEWAY_URL, access: { type: 'sign-in' } }, '');
      assert.equal(entryUrl(serverOf({ text: snippet(client, server), client: id }))?.url, GATEWAY_URL);
    });
  }

  for (const entry of [null, 'x', [], {}, { url: 1 }, { args: 'x' }, { command: 'mcp-remote', args: ['-y', 3] }]) {
    test(`${JSON.stringify(entry)} has no URL and no token`, () => {
      const server = serverOf({ client: 'cursor', text: JSON.stringify({ mcpServers: { it: entry } }) });
      assert.equal(entryUrl(server), undefined);
      assert.deepEqual(entryTokens(server), []);
    });
  }
});

describe('P36 what of a URL is shown', () => {
  for (const [url, shown] of [
    ['https://a.example/mcp?team=x', 'https://a.example/mcp?team=x'],
    ['https://a.example/mcp?access_token=x', 'https://a.example/mcp'],
    ['https://a.example/mcp?Token=x&team=a&api-key=y', 'https://a.example/mcp?team=a'],
    ['https://me:pass@a.example/mcp', 'https://a.example/mcp'],
    ['https://me@a.example/mcp?monkey=1&keyboard=2', 'https://a.example/mcp?monkey=1&keyboard=2'],
    ['no URL', 'no URL'],
  ] as const) {
    test(url, () => assert.equal(urlWithoutTokens(url), shown));
  }
});

describe('P36 what is a secret', () => {
  for (const [headers, tokens] of [
    [{ Authorization: 'Bearer  abc ' }, ['abc']],
    [{ Authorization: 'bearer abc' }, ['abc']],
    [{ Authorization: 'Bearer ${env:A}' }, []],
    [{ Authorization: 'Bearer %A%' }, []],
    [{ Authorization: 'Bearer' }, ['Bearer']],
    [{ Authorization: '' }, []],
    [{ Authorization: 'Bearer YOUR_API_KEY' }, []],
    [{ 'X-Auth-Token': 'abc', 'X-Request-Keys': 'no', Accept: 'x' }, ['abc']],
    [{ apikey: 'abc', 'api-key': 'b', Cookie: 'c=d', 'X-Monkey': 'no' }, ['abc', 'b', 'c=d']],
  ] as const) {
    test(JSON.stringify(headers), () => {
      const text = JSON.stringify({ mcpServers: { it: { url: 'https://a.example', headers } } });
      assert.deepEqual(
        entryTokens(serverOf({ client: 'cursor', text })).map(({ token }) => token),
        tokens,
      );
    });
  }

  for (const [title, entry, tokens] of [
    ['oauth', { url: 'https://a.example', oauth: { clientId: 'c', clientSecret: 's-1' } }, ['s-1']],
    ['auth', { url: 'https://a.example', auth: { CLIENT_ID: 'c', CLIENT_SECRET: 's-2' } }, ['s-2']],
    ['oauth with a variable', { url: 'https://a.example', oauth: { client_secret: '${env:S}' } }, []],
    ['a bridge', bridge('{"client_id":"c","client_secret":"s-3"}'), ['s-3']],
    ['a bridge with a variable', bridge('{"client_id":"c","client_secret":"${S}"}'), []],
    ['a bridge with a file', bridge('@/home/me/client.json'), []],
    ['a bridge with a public client', bridge('{"client_id":"c"}'), []],
  ] as const) {
    test(`the secret of a client: ${title}`, () => {
      const text = JSON.stringify({ mcpServers: { it: entry } });
      const server = serverOf({ client: 'cursor', text });
      const expected = tokens.map((token) => ({ token, place: 'client_secret', canMove: false }));
      assert.deepEqual(
        entryTokens(server).map(({ token, place, canMove }) => ({ token, place, canMove })),
        expected,
      );
      assert.deepEqual(
        lostByRouting(entryTokens(server), 'other').map(({ token }) => token),
        tokens,
      );
    });
  }

  test('what is lost when an entry is routed: all but the token that is kept and what goes through', () => {
    const headers = { Authorization: 'Bearer a-1', Cookie: 'c-1', 'X-Api-Key': 'k-1' };
    const text = JSON.stringify({ mcpServers: { it: { url: 'https://u:p-1@a.example/?token=a-1&key=q-1', headers } } });
    const found = entryTokens(serverOf({ client: 'cursor', text }));
    assert.deepEqual(
      lostByRouting(found, 'a-1').map(({ token }) => token),
      ['q-1', 'c-1', 'p-1'],
    );
  });

  for (const [value, isToken] of [
    ['MY_TOKEN', false],
    ['my_token', false],
    ['ghp_0123456789abcdefghijABCDEF', true],
    ['sk-a', true],
  ] as const) {
    test(`Codex: ${value} is ${isToken ? 'a token' : 'the name of a variable'}`, () => {
      const text = `[mcp_servers.it]\nurl = "https://a.example"\nbearer_token_env_var = "${value}"\n`;
      assert.equal(entryTokens(serverOf({ client: 'codex', text })).length, isToken ? 1 : 0);
    });
  }
});
