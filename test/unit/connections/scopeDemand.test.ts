import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addDemand, openDemands, plainCause, type ScopeDemand } from '../../../src/connections/scopeDemand.ts';
import { connectionIn, grantWith, NOW } from '../connectionFixture.ts';

function demand(change: Partial<ScopeDemand> = {}): ScopeDemand {
  return { at: NOW, scopes: ['b'], operation: 'tools/call add', ...change };
}

const claude = { kind: 'oauth', label: 'Claude' } as const;

describe('P22 why scopes are asked for', () => {
  it('is kept once for each operation, client and set of scopes, the newest last', () => {
    const other = demand({ client: claude });
    const again = demand({ at: NOW + 1 });
    assert.deepEqual(addDemand([demand(), other], again), [other, again]);
    assert.deepEqual(addDemand(undefined, other), [other]);
  });

  it('is bounded, whatever a server demands', () => {
    let demands: readonly ScopeDemand[] = [];
    const scopes = Array.from({ length: 500 }, (_, index) => `s${index}`);
    for (let count = 0; count < 30; count += 1)
      demands = addDemand(demands, demand({ operation: `o${count}`, scopes }));
    assert.deepEqual(
      demands.map(({ operation }) => operation),
      Array.from({ length: 10 }, (_, index) => `o${index + 20}`),
    );
    assert.ok(demands.every((one) => one.scopes.length === 100));
  });

  it('is over for what was granted since', () => {
    const demands = [demand({ scopes: ['a', 'b'] }), demand({ scopes: ['a'] })];
    const state = { type: 'ready', grant: grantWith({ granted: ['a'] }) } as const;
    assert.deepEqual(openDemands(connectionIn(state, { demands })), [demand({ scopes: ['b'] })]);
    assert.deepEqual(openDemands(connectionIn(state)), []);
  });

  it('takes only so much of what a client calls itself and its operation, and no control characters', () => {
    const operation = `tools/call ${'x'.repeat(200)}`;
    const cause = plainCause({ operation, client: { kind: 'token', label: `a\u202E\n${'y'.repeat(200)}` } });
    assert.equal(cause.operation?.length, 80);
    assert.equal(cause.client?.label.length, 60);
    assert.match(cause.client.label, /^a y+…$/);
    assert.deepEqual(plainCause({ operation: ' ', client: { kind: 'oauth', label: '\n' } }), {});
  });
});
