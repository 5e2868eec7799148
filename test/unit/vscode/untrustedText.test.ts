import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  displayUrl,
  hasRandomPart,
  markdownText,
  quoted,
  shortUrl,
  withoutLinks,
  withoutRandomParts,
} from '../../../src/vscode/untrustedText.ts';

test('a text of a server cannot make a link or an icon in a notification', () => {
  assert.equal(withoutLinks('[x](command:evil) $(pass)'), '(x)(command:evil) $ (pass)');
  assert.equal(quoted('[x](command:evil)'), '“(x)(command:evil)”');
});

test('a text of a server is quoted, on one line and short', () => {
  assert.equal(quoted('no\n\u202Eway'), '“no way”');
  assert.equal(quoted('x'.repeat(500))?.length, 122);
  assert.equal(quoted('  '), undefined);
});

test('a text that is cut ends in no full stop, and in no half of a character', () => {
  assert.equal(quoted(`${'x'.repeat(117)}no. Way`), `“${'x'.repeat(117)}no…”`);
  assert.equal(quoted(`${'x'.repeat(116)}no. Way`), `“${'x'.repeat(116)}no…”`);
  assert.equal(quoted(`${'x'.repeat(118)}😀😀`), `“${'x'.repeat(118)}…”`);
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

for (const [text, shown] of [
  ['https://mcp.example/s/NmY4ZDEyLTQ1ZmEtOTk/mcp', 'https://mcp.example/s/…/mcp'],
  ['at mcp.example/s/0d9c1f2e-7a7b-4f7e-9d5c-1a2b3c4d5e6f.', 'at mcp.example/s/….'],
  ['https://mcp.example/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln/mcp', 'https://mcp.example/…/mcp'],
  ['mcp.example/long/path/NmY4ZD…', 'mcp.example/long/path/…'],
  ['https://mcp.example/v1/mcp?…', 'https://mcp.example/v1/mcp?…'],
  ['https://mcp.example/.well-known/oauth-protected-resource/mcp', undefined],
  ['https://mcp.example/2025-11-25/1234567890123456', undefined],
] as const) {
  test(`P36 a part of a path that nobody would choose is left out of ${text}`, () => {
    assert.equal(withoutRandomParts(text), shown ?? text);
    assert.equal(hasRandomPart(text), shown !== undefined && shown !== text);
  });
}
