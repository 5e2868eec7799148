import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ActivityEntry } from '../../../src/connections/activity.ts';
import type { Connection, ConnectionState } from '../../../src/connections/connection.ts';
import type { LocalAccess } from '../../../src/gateway/localAccess.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { TreeModel, type TreeNode } from '../../../src/vscode/treeModel.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { connectionIn, grantWith, MINUTE_MS } from '../connectionFixture.ts';

const MANY = 1000;

/** A tree over connections, accesses and activities that a test replaces. */
function start(connections: readonly Connection[] = []) {
  const clock = new ManualClock();
  const all = new Map(connections.map((connection) => [connection.id, connection]));
  const activities = new Map<string, readonly ActivityEntry[]>();
  const gateway: { accesses: readonly LocalAccess[] } = { accesses: [] };
  const model = new TreeModel({
    clock,
    gateway,
    service: {
      get connections() {
        return [...all.values()];
      },
      get: (id) => all.get(id),
      activity: (id) => activities.get(id) ?? [],
      deviceAuthorization: () => undefined,
    },
  });
  /** Draws a row and all below it, as the editor does for rows that are open. */
  const drawAll = (node?: TreeNode): void => {
    if (node !== undefined) model.draw(node);
    for (const child of model.children(node)) drawAll(child);
  };
  /** What is to be drawn anew, by key; it is drawn then. */
  const redrawn = (ids?: Iterable<string>): readonly string[] => {
    const nodes = model.changed(ids);
    for (const node of nodes) drawAll(node);
    return nodes.map(({ key }) => key);
  };
  const put = (connection: Connection): void => void all.set(connection.id, connection);
  return { activities, clock, drawAll, gateway, model, put, redrawn };
}

function ready(id: string, endsAt: number): Connection {
  const state: ConnectionState = { type: 'ready', grant: grantWith({ expiresAt: endsAt }) };
  return connectionIn(state, { id, name: id });
}

const access: LocalAccess = {
  id: 'access',
  kind: 'oauth',
  label: 'Claude Code',
  connection: 'a',
  allowedTools: '*',
  createdAt: 0,
};

describe('rows of the tree that are drawn anew', () => {
  it('are those whose text has changed, of a thousand', () => {
    const begun = new ManualClock().now();
    // One in ten ends in a time that is told in minutes, the others in days.
    const connections = Array.from({ length: MANY }, (_, index) =>
      ready(`c${index}`, begun + (index % 10 === 0 ? 30 * MINUTE_MS : (90 * 24 + 12) * 60 * MINUTE_MS) + 30_000),
    );
    const { clock, model, redrawn } = start(connections);
    const roots = model.children();
    assert.equal(roots.length, MANY);
    for (const root of roots) model.draw(root);
    assert.deepEqual(redrawn(), []);
    clock.advance(29_000);
    assert.deepEqual(redrawn(), [], 'no text changes within the minute');
    clock.advance(2000);
    const expected = connections.filter((_, index) => index % 10 === 0).map(({ id }) => id);
    assert.deepEqual(redrawn(), expected);
    assert.deepEqual(redrawn(), []);
  });

  it('are the same objects for the same connections, in the same order', () => {
    const { model, put } = start([ready('a', 0), ready('b', 0)]);
    const [a, b] = model.children();
    put(connectionIn({ type: 'needsSignIn', reason: 'expired', since: 0 }, { id: 'a' }));
    const after = model.children();
    assert.equal(after[0], a);
    assert.equal(after[1], b);
  });

  it('are of the connections that are asked about alone', () => {
    const { drawAll, put, redrawn } = start([ready('a', 0), ready('b', 0)]);
    drawAll();
    put(connectionIn({ type: 'disconnected' }, { id: 'a' }));
    put(connectionIn({ type: 'disconnected' }, { id: 'b' }));
    assert.deepEqual(redrawn(['b', 'unknown']), ['b']);
    assert.deepEqual(redrawn(), ['a']);
  });

  it('take those below with them, and a change below alone leaves the rest', () => {
    const { activities, clock, drawAll, put, redrawn } = start([ready('a', 0)]);
    drawAll();
    const entry = { at: clock.now(), type: 'refreshed' } as const;
    activities.set('a', [entry]);
    assert.deepEqual(redrawn(), ['a/activity']);
    clock.advance(MINUTE_MS);
    assert.deepEqual(redrawn(), ['a/activity']);
    put({ ...ready('a', 0), challenged: ['b'] });
    assert.deepEqual(redrawn(), ['a'], 'of which the scopes are drawn too');
    put({ ...ready('a', 0), challenged: ['b'], issuer: 'https://as.example' });
    assert.deepEqual(redrawn(), ['a/authorizationServer']);
  });

  it('are drawn for what a tooltip and the rows below say, though the row reads as before', () => {
    const { drawAll, gateway, model, put, redrawn } = start([ready('a', 0), ready('b', 0)]);
    drawAll();
    gateway.accesses = [access];
    model.noteAccesses();
    assert.deepEqual(redrawn(), ['a']);
    gateway.accesses = [{ ...access, lastUsedAt: 0 }];
    model.noteAccesses();
    assert.deepEqual(redrawn(), ['a/usedBy']);
    // Two connections' scopes that stand differently, in the same number.
    put(connectionIn({ type: 'ready', grant: grantWith({ authorized: ['a', 'b'], granted: ['b'] }) }, { id: 'b' }));
    redrawn();
    put(connectionIn({ type: 'ready', grant: grantWith({ authorized: ['a', 'b'], granted: ['a'] }) }, { id: 'b' }));
    assert.deepEqual(redrawn(), ['b/scopes']);
  });

  it('are counted by the second only where they count seconds', () => {
    const error = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
    const { clock, drawAll, model, put, redrawn } = start([ready('a', 0), ready('b', 0)]);
    const state: ConnectionState = { type: 'unreachable', grant: grantWith(), error, retryAt: clock.now() + 20_000 };
    put(connectionIn(state, { id: 'b' }));
    drawAll();
    assert.deepEqual([...model.counting], ['b']);
    clock.advance(1000);
    assert.deepEqual(redrawn(model.counting), ['b']);
    put(ready('b', 0));
    redrawn();
    assert.deepEqual([...model.counting], []);
  });

  it('are none of a connection that is gone', () => {
    const { clock, drawAll, model, redrawn } = start([ready('a', 10 * MINUTE_MS)]);
    drawAll();
    model.forget('a');
    clock.advance(MINUTE_MS);
    assert.deepEqual(redrawn(), []);
    assert.equal(model.isDrawn, false);
  });
});
