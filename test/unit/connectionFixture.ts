import type { Connection, ConnectionState, Grant } from '../../src/connections/connection.ts';

/** The instant at which the tests of pure functions take place. */
export const NOW = 1_800_000_000_000;
export const MINUTE_MS = 60_000;

/** A grant of one scope with no end, but for what a test changes. */
export function grantWith(change: Partial<Grant> = {}): Grant {
  return { authorized: ['a'], granted: ['a'], refreshable: true, issuedAt: NOW, generation: 1, ...change };
}

/** A connection in this state, but for what a test changes. */
export function connectionIn(state: ConnectionState, change: Partial<Connection> = {}): Connection {
  return {
    id: 'id',
    name: 'Name',
    slug: 'name',
    serverUrl: 'https://example.com/mcp',
    kind: 'authorization_code',
    requested: ['a'],
    challenged: [],
    settings: {},
    state,
    ...change,
  };
}
