import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ActivityEntry } from '../../../../src/connections/activity.ts';
import type { Connection, Grant } from '../../../../src/connections/connection.ts';
import { scopeMatrix } from '../../../../src/vscode/details/scopeMatrix.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../../connectionFixture.ts';

function ready(grant: Partial<Grant>, change: Partial<Connection> = {}): Connection {
  return connectionIn({ type: 'ready', grant: grantWith(grant) }, change);
}

function cell({ notes, text }: { readonly notes: string; readonly text: string }): string {
  return notes === '' ? text : `${text} (${notes})`;
}

/** The matrix as text: a row for each scope, with the words of each cell. */
function drawn(connection: Connection, activity: readonly ActivityEntry[]): readonly string[] {
  const { columns, rows } = scopeMatrix(connection, activity, NOW);
  const head = columns.map(({ title }) => title).join(' | ');
  return [head, ...rows.map(({ cells, scope }) => `${scope}: ${cells.map(cell).join(' | ')}`)];
}

const SIGNED_IN: ActivityEntry = {
  at: NOW - 60 * MINUTE_MS,
  type: 'connected',
  scopes: ['read', 'write'],
  requested: ['read', 'write', 'admin'],
  challenged: ['read'],
};

describe('P21 the scopes over time', () => {
  it('have a column for each time they changed, and one for now', () => {
    const requested = ['read', 'write', 'admin'];
    const connection = ready(
      { authorized: ['read', 'write'], granted: ['read', 'write'] },
      { requested, challenged: ['read', 'delete'] },
    );
    assert.deepEqual(
      drawn(connection, [
        { at: NOW - 61 * MINUTE_MS, type: 'added' },
        SIGNED_IN,
        { at: SIGNED_IN.at, type: 'scopes_dropped', scopes: ['admin'] },
        { at: NOW - 50 * MINUTE_MS, type: 'refreshed' },
        { at: NOW - 40 * MINUTE_MS, type: 'refreshed' },
        { at: NOW - 40 * MINUTE_MS, type: 'scopes_dropped', scopes: ['write'] },
        { at: NOW - 30 * MINUTE_MS, type: 'refreshed' },
        { at: NOW - 30 * MINUTE_MS, type: 'scopes_restored', scopes: ['write'] },
        { at: NOW - 20 * MINUTE_MS, type: 'consent_needed', scopes: ['delete'] },
      ]),
      [
        'Signed in | Scopes dropped | Scopes restored | More scopes needed | Now',
        'read: ' + Array.from({ length: 5 }, () => 'granted (requested, demanded)').join(' | '),
        'write: granted (requested) | dropped (requested) | granted (requested) | granted (requested) | granted (requested)',
        'delete: not asked for | not asked for | not asked for | demanded | demanded',
        'admin: ' + Array.from({ length: 5 }, () => 'not granted').join(' | '),
      ],
    );
  });

  it('are known of sign-ins that older versions noted', () => {
    const { at, scopes = [] } = SIGNED_IN;
    const connection = ready({ authorized: scopes, granted: scopes }, { requested: ['read', 'write', 'admin'] });
    assert.deepEqual(
      drawn(connection, [
        { at, type: 'connected', scopes },
        { at, type: 'scopes_dropped', scopes: ['admin'] },
      ]),
      [
        'Signed in | Now',
        'read: granted (requested) | granted (requested)',
        'write: granted (requested) | granted (requested)',
        'admin: not granted | not granted',
      ],
    );
  });

  it('P15 offline_access is not missed at a sign-in whose answer did not name it', () => {
    const connection = ready({}, { requested: ['a', 'offline_access'] });
    const entry: ActivityEntry = { at: NOW, type: 'connected', scopes: ['a'], requested: ['a', 'offline_access'] };
    assert.deepEqual(drawn(connection, [entry]), ['Signed in | Now', 'a: granted (requested) | granted (requested)']);
  });

  it('before a sign-in are those that will be asked for', () => {
    const connection = connectionIn({ type: 'disconnected' }, { requested: ['a'], challenged: ['b'] });
    assert.deepEqual(drawn(connection, []), ['Now', 'a: asked for at sign-in', 'b: asked for at sign-in']);
  });

  for (const [title, connection, said] of [
    ['a token of the person’s own', ready({}, { kind: 'static_token' }), /Nobody but its maker/],
    ['a server without scopes', ready({ authorized: [], granted: [] }, { requested: [] }), /uses no scopes/],
    ['nothing yet', connectionIn({ type: 'disconnected' }, { requested: [] }), /No scopes are known yet/],
  ] as const) {
    it(`say so of ${title}`, () => assert.match(scopeMatrix(connection, [], NOW).empty ?? '', said));
  }

  it('are cut off where nobody reads on, and so are their names', () => {
    const scopes = Array.from({ length: 250 }, (_, index) => `${index}${'x'.repeat(500)}`);
    const { more, rows } = scopeMatrix(ready({ authorized: scopes, granted: scopes }, { requested: [] }), [], NOW);
    assert.equal(rows.length, 200);
    assert.equal(more, 'and 50 more');
    assert.ok(rows.every(({ scope }) => scope.length <= 200));
  });

  it('have one cell for each column, and no scope twice, whatever happened', () => {
    const scopes = fc.array(fc.constantFrom('a', 'b', 'c', '‮evil', '<img>'), { maxLength: 4 });
    const types = [
      'connected',
      'refreshed',
      'scopes_dropped',
      'scopes_restored',
      'consent_needed',
      'disconnected',
    ] as const;
    const entry = fc.record(
      { at: fc.nat(), type: fc.constantFrom(...types), scopes, requested: scopes, challenged: scopes },
      { requiredKeys: ['at', 'type'] },
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), scopes, (entries, granted) => {
        const { columns, rows } = scopeMatrix(ready({ authorized: granted, granted }), entries, NOW);
        assert.ok(columns.length <= 7);
        for (const { cells, scope } of rows) {
          assert.equal(cells.length, columns.length);
          assert.ok(!scope.includes('‮'), 'no character that turns the text around');
        }
        assert.equal(new Set(rows.map(({ scope }) => scope)).size, rows.length);
        assert.equal(new Set(columns.map(({ key }) => key)).size, columns.length);
      }),
    );
  });
});
