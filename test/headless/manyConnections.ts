import type { StoredConnection } from '../../src/connections/storedConnections.ts';

const MINUTE_MS = 60_000;

/**
 * Connections as the file has them, as after weeks of use: of many states and ages, each with scopes and a full activity.
 * They end at whole minutes after `now`, so that they are told in other words at the same time.
 * @param now ms since the epoch
 */
export function manyConnections(count: number, now: number): readonly StoredConnection[] {
  return Array.from({ length: count }, (_, index) => manyOf(index, now));
}

function manyOf(index: number, now: number): StoredConnection {
  const scopes = Array.from({ length: 1 + (index % 7) }, (_, scope) => `scope:${scope}`);
  const expiresAt = now + (5 + (index % 600)) * MINUTE_MS;
  const issuedAt = now - 60 * MINUTE_MS;
  const isOver = index % 50 === 49;
  const refreshes = Array.from({ length: 20 }, (_, event) => {
    return { at: issuedAt - event * MINUTE_MS, type: 'refreshed' } as const;
  });
  return {
    id: `many-${index}`,
    name: `Server ${index}`,
    slug: `server-${index}`,
    serverUrl: `http://127.0.0.1:9/${index}/mcp`,
    kind: 'authorization_code',
    issuer: `https://as-${index % 20}.example`,
    requested: scopes,
    challenged: [],
    settings: {},
    generation: 1,
    activity: refreshes.toReversed(),
    ...(isOver
      ? { needsSignIn: { reason: 'expired', since: now - MINUTE_MS } }
      : // Of those that cannot be renewed nobody asks a server for anything.
        {
          grant: {
            authorized: scopes,
            granted: scopes.slice(index % 3),
            expiresAt,
            refreshable: false,
            issuedAt,
            generation: 1,
          },
        }),
  };
}
