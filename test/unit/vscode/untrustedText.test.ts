import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayUrl, markdownText, quoted, shortUrl, withoutLinks } from '../../../src/vscode/untrustedText.ts';

test('a text of a server cannot make a link or an icon in a notification', () => {
  assert.equal(withoutLinks('[x](command:evil) $(pass)'), '(x)(command:evil) $ (pass)');
  assert.equal(quoted('[x](command:evil)'), '“(x)(command:evil)”');
});

test('a text of a server is quoted, on one line and short', () => {
  assert.equal(quoted('no\n\u202Eway'), '“no way”');
  assert.equal(quoted('x'.repeat(500))?.length, 122);
  assert.equal(quoted('  '), undefined);
});

test('a shown URL has no user info, query or fragment', () => {
  assert.equal(shortUrl('https://user:pw@example.com/mcp?token=t#f'), 'example.com/mcp');
  assert.equal(shortUrl('https://example.com:8443/'), 'example.com:8443');
  assert.equal(displayUrl('https://user:pw@example.com/mcp?token=t#f'), 'https://example.com/mcp?…');
});

test('Markdown of a server shows as text, also in a table', () => {
  const text = markdownText('[x](command:y) <img> |a|\n# `b` $(pass)');
  assert.doesNotMatch(text, /(?<!\\)[[\]|#`]|<img|\n|\$\(/);
});
