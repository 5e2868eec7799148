import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionState } from '../../../src/connections/connection.ts';
import { commandLink, hoverCommands, statusBarText, statusHover } from '../../../src/vscode/statusText.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { connectionIn, grantWith, NOW } from '../connectionFixture.ts';

function connection(state: ConnectionState, name = 'Name'): Connection {
  return connectionIn(state, { id: name, name });
}

function ready(minutesLeft: number, refreshable: boolean): ConnectionState {
  const expiresAt = NOW + minutesLeft * 60_000;
  const grant = { authorized: ['a'], granted: ['a'], expiresAt, refreshable, issuedAt: NOW, generation: 1 };
  return { type: 'ready', grant };
}

function unreachable(minutesLeft: number): ConnectionState {
  const grant = grantWith({ expiresAt: NOW + minutesLeft * 60_000 });
  const error = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
  return { type: 'unreachable', grant, error, retryAt: NOW + 20_000 };
}

const ended: ConnectionState = { type: 'needsSignIn', reason: 'expired', since: NOW };

const items: readonly (readonly [states: readonly ConnectionState[], text: string | undefined])[] = [
  [[], undefined],
  [[ready(5, true), ready(90, false)], '$(key) 2'],
  [[ready(5, true), { type: 'disconnected' }], '$(key) 1'],
  [[{ type: 'disconnected' }], '$(key)'],
  [[{ type: 'authorizing', step: 'discovering' }], '$(sync~spin)'],
  [[ready(5, true), { type: 'authorizing', step: 'waitingForBrowser' }], '$(key) 1'],
  [[ready(5, true), unreachable(5)], '$(key) 2'],
  [[ready(5, true), unreachable(-1)], '$(debug-disconnect) 1 of 2'],
  [[unreachable(-1), ready(59, false)], '$(warning) 1 of 2'],
  [[ready(5, true), ready(59, false)], '$(warning) 1 of 2'],
  [[ready(5, true), ready(59, false), ended], '$(error) 2 of 3'],
];

for (const [states, text] of items) {
  test(`the status bar says ${text ?? 'nothing'}`, () => {
    const shown = statusBarText(
      states.map((state) => connection(state)),
      NOW,
    );
    assert.equal(shown?.text, text);
  });
}

/** The cells of a row of a Markdown table, without escapes. */
function cells(line = ''): readonly string[] {
  return line.split(' | ').map((cell) => cell.replaceAll(/^\| |(?:&nbsp;)*(?: \|)?$|\\/g, '').trim());
}

function reveal(name: string): string {
  return `[${name}](command:scopekeeper.reveal?%5B%22${name}%22%5D)`;
}

test('the hover lists the connections, the worst first, with scopes, expiry and what can be done', () => {
  const lines = statusHover([connection(ready(42, true), 'Well'), connection(ended, 'Ended')], NOW).split('\n');
  assert.deepEqual(cells(lines[0]), ['MCP&nbsp;Connections', 'State', 'Scopes', '']);
  assert.deepEqual(cells(lines[2]), [
    `$(error) ${reveal('Ended')}`,
    'needs sign-in · the token has expired',
    '',
    '[Sign&nbsp;in](command:scopekeeper.reauthorize?%5B%22Ended%22%5D)',
  ]);
  assert.deepEqual(cells(lines[3]), [
    `$(pass) ${reveal('Well')}`,
    'expires in 42 min',
    '1',
    '[Refresh&nbsp;now](command:scopekeeper.refreshToken?%5B%22Well%22%5D)',
  ]);
});

test('the hover of a thousand connections is short, and leads to the rest', () => {
  const many = Array.from({ length: 1000 }, (_, index) => connection(ready(42, true), `c${index}`));
  const hover = statusHover(many, NOW);
  assert.equal(hover.split('\n').length, 2 + 12 + 2);
  assert.match(hover, /\[and 988 more\]\(command:scopekeeper\.showStatus\)/);
});

test('a name cannot bring a link, an icon or a cell into the hover', () => {
  const evil = connection(ready(42, true), '[x](command:evil)|$(pass)<b>');
  const row = statusHover([evil], NOW).split('\n')[2] ?? '';
  assert.match(row, /\\\[x\\\]\\\(command\\:evil\\\)\\\|\\\$ \\\(pass\\\)&lt;b&gt;/);
});

test('the hover runs only commands that it was trusted with', () => {
  const hover = statusHover([connection(ready(42, true)), connection(ended)], NOW);
  for (const [, command] of hover.matchAll(/\(command:([\w.]+)/g)) assert.ok(hoverCommands.includes(command ?? ''));
});

test('a link holds its argument whatever is in it', () => {
  const link = commandLink('scopekeeper.reveal', 'a) b"(');
  assert.doesNotMatch(link, /[\s()"]/);
  assert.deepEqual(JSON.parse(decodeURIComponent(link.split('?')[1] ?? '')), ['a) b"(']);
});
