import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionState } from '../../../src/connections/connection.ts';
import type { LocalAccess } from '../../../src/gateway/localAccess.ts';
import { agentServers } from '../../../src/vscode/agentServers.ts';
import { connectionIn, grantWith, NOW } from '../connectionFixture.ts';

const ready: ConnectionState = { type: 'ready', grant: grantWith() };

function access(change: Partial<LocalAccess> = {}): LocalAccess {
  return {
    id: 'a1',
    kind: 'editor',
    label: 'Agent mode',
    connection: 'id',
    allowedTools: '*',
    createdAt: NOW,
    ...change,
  };
}

function version(connection: Connection, accesses: readonly LocalAccess[] = [], revocations = 0): string | undefined {
  return agentServers([connection], accesses, () => revocations)[0]?.version;
}

const states: readonly (readonly [isGiven: boolean, state: ConnectionState])[] = [
  [true, ready],
  [true, { type: 'refreshing', grant: grantWith() }],
  [true, { type: 'needsConsent', grant: grantWith(), missing: ['b'] }],
  [true, { type: 'authorizing', step: 'exchanging', grant: grantWith() }],
  [false, { type: 'authorizing', step: 'exchanging' }],
  [false, { type: 'disconnected' }],
  [false, { type: 'needsSignIn', reason: 'expired', since: NOW }],
];

for (const [isGiven, state] of states) {
  test(`agent mode is ${isGiven ? '' : 'not '}given a server that is ${state.type}, ${'grant' in state ? 'with' : 'without'} a grant`, () => {
    assert.equal(agentServers([connectionIn(state)], [], () => 0).length, isGiven ? 1 : 0);
  });
}

test('a server keeps its name and its place', () => {
  const names = ['B', 'A', 'C'];
  const connections = names.map((name) => connectionIn(ready, { id: name, name }));
  assert.deepEqual(
    agentServers(connections, [], () => 0).map(({ label }) => label),
    names,
  );
});

test('the version stays when a token is renewed, is used, or is made at the first start', () => {
  const first = version(connectionIn(ready));
  assert.equal(version(connectionIn({ type: 'ready', grant: grantWith({ generation: 9, expiresAt: NOW }) })), first);
  assert.equal(version(connectionIn(ready), [access({ lastUsedAt: NOW })]), first);
  assert.equal(version(connectionIn(ready), [access({ kind: 'oauth', allowedTools: ['x'] })]), first);
});

test('the version changes with what the server may do, and when its token was revoked', () => {
  const first = version(connectionIn(ready));
  const others = [
    version(connectionIn({ type: 'ready', grant: grantWith({ granted: ['a', 'b'] }) })),
    version(connectionIn(ready), [access({ allowedTools: ['x'] })]),
    version(connectionIn(ready), [access({ allowedTools: ['x', 'y'] })]),
    version(connectionIn(ready), [], 1),
  ];
  assert.equal(new Set([first, ...others]).size, 5);
});

test('P36 the version holds neither scopes nor names of tools in the clear, as it is kept in files', () => {
  assert.match(version(connectionIn(ready), [access({ allowedTools: ['secret_tool'] })]) ?? '', /^[0-9a-f]{12}$/);
});
