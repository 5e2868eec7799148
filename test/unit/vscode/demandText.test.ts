import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Demand } from '../../../src/gateway/ports.ts';
import { demandText } from '../../../src/vscode/demandText.ts';
import { portText } from '../../../src/vscode/portText.ts';

const many = Array.from({ length: 9 }, (_, index) => `scope:${index}`);

test('P24 a demand says which server, which scopes, and for which operation if it is known', () => {
  const table: readonly (readonly [Omit<Demand, 'connection'>, RegExp])[] = [
    [{ scopes: [] }, /^A local client wants to use Files, .* sign in to again\.$/],
    [{ scopes: [], operation: 'tools/call add' }, /Files for “tools\/call add”, .* sign in to again\.$/],
    [{ scopes: ['a:read'] }, /use Files, .* not granted yet: “a:read”\.$/],
    [{ scopes: ['a', 'b'], operation: 'tools/call add' }, /Files for “tools\/call add”, .*: “a”, “b”\.$/],
    [{ scopes: many }, /“scope:5”, and 3 more\.$/],
    [{ scopes: ['a'], client: { kind: 'oauth', label: 'Claude' } }, /^“Claude” wants to use Files, /],
    [{ scopes: [], client: { kind: 'editor', label: 'skg_a_' } }, /^Agent mode wants to use Files, /],
  ];
  for (const [demand, expected] of table) assert.match(demandText('Files', { connection: 'c', ...demand }), expected);
});

test('a demand runs no command that a client or a server smuggled in', () => {
  const link = '[click](command:evil)';
  const text = demandText(link, {
    connection: 'c',
    scopes: [link],
    operation: link,
    client: { kind: 'oauth', label: link },
  });
  assert.equal(text.includes('['), false, text);
});

test('P18a a port that was moved or refused names both ports, and what to do', () => {
  assert.match(portText({ type: 'moved', from: 41_000, to: 42_000 }), /at port 42000 .* no longer at 41000\. Copy /);
  assert.match(portText({ type: 'refused', wanted: 42_000, kept: 41_000 }), /port 42000 .* still at 41000\. Close /);
});
