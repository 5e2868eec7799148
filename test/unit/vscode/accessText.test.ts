import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalAccess } from '../../../src/gateway/localAccess.ts';
import {
  accessesOf,
  accessText,
  accessTooltipLines,
  revokeDetail,
  toolsText,
  usedByText,
} from '../../../src/vscode/accessText.ts';
import { MINUTE_MS, NOW } from '../connectionFixture.ts';

function access(change: Partial<LocalAccess> = {}): LocalAccess {
  return {
    id: 'a1',
    kind: 'oauth',
    label: 'Claude Code',
    connection: 'id',
    allowedTools: '*',
    createdAt: NOW - 60 * MINUTE_MS,
    ...change,
  };
}

const rows: readonly (readonly [description: string, change: Partial<LocalAccess>])[] = [
  ['not used yet · all tools', {}],
  ['5 min ago · all tools', { lastUsedAt: NOW - 5 * MINUTE_MS }],
  ['just now · 1 tool', { lastUsedAt: NOW, allowedTools: ['read_note'] }],
  ['not used yet · 2 tools', { allowedTools: ['a', 'b'] }],
  ['not used yet · all tools', { expiresAt: NOW + MINUTE_MS }],
  ['expired 3 min ago · all tools', { expiresAt: NOW - 3 * MINUTE_MS, lastUsedAt: NOW - 5 * MINUTE_MS }],
];

for (const [description, change] of rows) {
  test(`P43 the row of a local client says: ${description}`, () => {
    const text = accessText(access(change), NOW);
    assert.equal(text.label, 'Claude Code');
    assert.equal(text.description, description);
    assert.equal(
      text.spoken,
      `Claude Code, ${change.lastUsedAt !== undefined && change.expiresAt === undefined ? 'used ' : ''}${description}`,
    );
    assert.equal(text.contextValue, 'access');
  });
}

test('the editor itself is called so, whatever label the registry keeps', () => {
  assert.equal(accessText(access({ kind: 'editor', label: 'x' }), NOW).label, 'Agent mode');
  assert.equal(accessText(access({ kind: 'extension', label: 'x' }), NOW).label, 'Other extensions');
});

test('each kind has an icon of its own', () => {
  const icons = (['oauth', 'token', 'editor', 'extension'] as const).map(
    (kind) => accessText(access({ kind }), NOW).icon?.id,
  );
  assert.equal(new Set(icons).size, 4);
});

test('the row above the clients says how many there are, and when one was last seen', () => {
  assert.equal(usedByText([], NOW).description, 'nobody yet');
  assert.equal(usedByText([access()], NOW).description, '1 client · not used yet');
  const used = [access({ lastUsedAt: NOW - 9 * MINUTE_MS }), access({ lastUsedAt: NOW - 2 * MINUTE_MS }), access()];
  assert.equal(usedByText(used, NOW).description, '3 clients · used 2 min ago');
});

test('P42 a token of the first version is good for each connection, so each shows it', () => {
  const all = [access(), access({ id: 'a2', connection: 'other' })];
  const { connection: _, ...everywhere } = access({ id: 'a3', kind: 'token' });
  const ids = (id: string) => accessesOf([...all, everywhere], id).map((one) => one.id);
  assert.deepEqual(ids('id'), ['a1', 'a3']);
  assert.deepEqual(ids('other'), ['a2', 'a3']);
});

test('P44 the tooltip says that the name is only what the client says of itself', () => {
  const lines = new Map(
    accessTooltipLines(access({ allowedTools: ['a', 'b'], expiresAt: NOW + MINUTE_MS }), NOW).map(
      ({ label, value }) => [label, value],
    ),
  );
  assert.equal(lines.get('Who'), 'a program that calls itself so');
  assert.equal(lines.get('Tools'), 'a, b');
  assert.match(lines.get('Let in') ?? '', /· 1 h ago$/);
  assert.match(lines.get('Ends') ?? '', /· expires in 1 min$/);
  assert.equal(lines.get('Last used'), 'never');
  const forever = new Map(accessTooltipLines(access(), NOW).map(({ label, value }) => [label, value]));
  assert.equal(forever.get('Ends'), 'when you revoke it');
  assert.equal(forever.get('Tools'), 'all, also those to come');
});

test('what revoking does is said for each kind', () => {
  assert.match(revokeDetail('oauth'), /asks you again/);
  assert.match(revokeDetail('token'), /refused/);
  assert.match(revokeDetail('editor'), /scopekeeper\.agentMode\.enabled/);
  assert.match(revokeDetail('extension'), /signed out/);
});

test('P43 no tool at all is said as well', () => {
  assert.equal(toolsText([]), 'no tools');
});
