import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MarkupContent } from 'vscode-languageserver/node';
import { connectionList, documentOf, statusWith } from './documents.ts';
import { linksOf } from '../../../src/languageServer/documentLinks.ts';
import { hoverAt } from '../../../src/languageServer/hover.ts';
import { lensesOf } from '../../../src/languageServer/lenses.ts';
import type { ServerStatus } from '../../../src/mcpConfig/languageProtocol.ts';

const TEXT = `{ "mcpServers": {
  "sentry": { "url": "https://mcp.sentry.dev/mcp" },
  "routed": { "url": "http://127.0.0.1:41999/sentry/mcp" },
  "other": { "url": "https://me:hunter2@other.example/mcp?api_key=hunter2&x=1" },
  "mine": { "url": "\${BASE}/mcp" },
  "local": { "command": "node" }
} }`;

/** What is told over the first place of `part`. */
function over(part: string, ...connections: readonly ServerStatus[]): string | undefined {
  const document = documentOf('cursor', TEXT);
  const hover = hoverAt(document, connectionList(...connections), TEXT.indexOf(part) + 2);
  if (hover === undefined) return undefined;
  assert.ok(MarkupContent.is(hover.contents));
  return hover.contents.value;
}

describe('over a server', () => {
  const status = statusWith({
    missing: ['project:write'],
    expiresAt: Date.UTC(2026, 10, 21, 12),
    problem: 'It is away.',
  });

  test('all is told of its grant', () => {
    const told = over('"sentry"', status) ?? '';
    for (const part of [
      '**Sentry** — ● connected · expires in 42 min · 2 scopes',
      'Cursor does not use this connection',
      'Server: https\\:\\/\\/mcp\\.sentry\\.dev\\/mcp',
      'Account: me\\@example\\.com',
      'Authorization server: https\\:\\/\\/sentry\\.io',
      'Granted: org\\:read project\\:read',
      'Not granted: project\\:write',
      'Expires: Nov 21, 2026, ',
      'Last error: It is away\\.',
    ]) {
      assert.ok(told.includes(part), `${part} is not in ${told}`);
    }
  });

  test('its URL tells the same, also the one at the gateway', () => {
    assert.equal(over('https://mcp.sentry', status), over('"sentry"', status));
    assert.match(over('http://127.0.0.1', status) ?? '', /Cursor uses this connection/);
  });

  test('it is said when there is no connection', () => {
    assert.equal(over('"other"', status), 'Scopekeeper has no connection to this server\\.');
  });

  test('nothing is told of what only the client knows', () => {
    assert.equal(over('"mine"', status), undefined);
    assert.equal(over('"local"', status), undefined);
    assert.equal(over('"command"', status), undefined);
  });

  test('what a server wrote is no Markdown', () => {
    const told = over('"sentry"', statusWith({ account: '[x](command:y) $(z) <img>', granted: ['`a`'] })) ?? '';
    assert.doesNotMatch(told, /\[x\]\(|(?<!\\)`|\$\(|<img/);
  });
});

test('links lead to servers elsewhere, and never with a token', () => {
  assert.deepEqual(
    linksOf(documentOf('cursor', TEXT)).map(({ target }) => target),
    ['https://mcp.sentry.dev/mcp', 'https://other.example/mcp?x=1'],
  );
});

describe('over each server stands', () => {
  for (const [health, text, expected] of [
    ['ok', 'expires in 42 min', ['● connected · expires in 42 min', 'Use through Scopekeeper']],
    ['working', 'renewing', ['◌ renewing', 'Use through Scopekeeper']],
    ['offline', 'offline, retrying in 20 s', ['○ offline, retrying in 20 s', 'Use through Scopekeeper']],
    ['attention', 'needs 1 more scope', ['▲ needs 1 more scope', 'Sign in', 'Use through Scopekeeper']],
    ['error', 'needs sign-in · [x](y) $(z)', ['✕ needs sign-in · (x)(y) $ (z)', 'Sign in', 'Use through Scopekeeper']],
    ['failed', 'signed out', ['✕ signed out', 'Sign in', 'Use through Scopekeeper']],
    ['off', 'signed out', ['○ signed out', 'Sign in', 'Use through Scopekeeper']],
  ] as const) {
    test(`${health}: ${expected.join(' | ')}`, () => {
      const lenses = lensesOf(documentOf('cursor', TEXT), connectionList(statusWith({ health, text })));
      const titles = (line: number) =>
        lenses.filter(({ range }) => range.start.line === line).map(({ command }) => command?.title);
      assert.deepEqual(titles(1), expected);
      // Through the gateway already.
      assert.deepEqual(titles(2), expected.slice(0, -1));
      assert.deepEqual(titles(3), ['Connect']);
      assert.deepEqual(titles(4), []);
      assert.deepEqual(titles(5), []);
    });
  }
});
