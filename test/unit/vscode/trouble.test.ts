import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../../../src/connections/errors.ts';
import type { RoleState } from '../../../src/owner/windowRole.ts';
import { troubleOf } from '../../../src/vscode/trouble.ts';

const blocked = (error: unknown): RoleState => ({ type: 'blocked', error });

for (const [trouble, state] of [
  ['none', { type: 'owner' }],
  ['none', { type: 'guest', isConnected: false, windowName: 'other' }],
  ['port', blocked(new ConnectionError('port_busy', { port: 4000 }))],
  ['file', blocked(new ConnectionError('storage_broken', { path: 'port.json', problem: 'not a port' }))],
  ['file', blocked(new ConnectionError('storage_failed', { operation: 'read', path: 'x', problem: 'EACCES' }))],
  ['version', blocked(new ConnectionError('storage_too_new', { path: 'x', version: 9 }))],
  ['version', blocked(new ConnectionError('window_outdated', {}))],
  ['keychain', blocked(new ConnectionError('keychain_locked', {}))],
  ['other', blocked(new ConnectionError('owner_gone', {}))],
  ['other', blocked(new Error('a fault of ours'))],
] as const satisfies readonly (readonly [string, RoleState])[]) {
  test(`a window that is ${JSON.stringify(state)} has the trouble ${trouble}`, () => {
    assert.equal(troubleOf(state), trouble);
  });
}
