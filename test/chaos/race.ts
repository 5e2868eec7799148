import type { FaultyServer } from '../servers/faultyServer.ts';
import { SERVERS } from './killCases.ts';
import { duplicateRefreshes, type Tally } from './tally.ts';
import { withUser } from './user.ts';
import { type User, Window } from './window.ts';

const WINDOWS = 5;
/** How long the server's access tokens live. */
const LIFE_S = 3600;

/**
 * Five windows of one user at a strict server; each round the token comes to its end in all of them at the same
 * moment. There must be one refresh a round.
 * @param isOwnerKilled whether the owner is killed at that moment too, and another window opened for it
 */
export async function race(rounds: number, isOwnerKilled: boolean): Promise<Tally> {
  return withUser({ ...SERVERS.strict, expiresIn: LIFE_S }, async (user, server) => {
    const first = await openWindow(user);
    let windows = [first];
    try {
      await first.connect(server.mcpUrl, async (url) => server.authorize(url));
      while (windows.length < WINDOWS) windows.push(await openWindow(user));
      let passedMs = 0;
      let wrongRounds = 0;
      for (let round = 1; round <= rounds; round += 1) {
        const before = refreshesAt(server);
        const renewedFrom = Date.now() + passedMs + LIFE_S * 1000;
        passedMs += LIFE_S * 1000;
        for (const window of windows) window.pass(LIFE_S * 1000);
        if (isOwnerKilled) {
          const owner = windows.find(({ isOwner }) => isOwner);
          owner?.kill();
          windows = windows.filter((window) => window !== owner);
          await owner?.close();
        }
        await Promise.all(
          windows.map(async (window) =>
            window.until('a renewed token', () => (window.refreshedAt ?? 0) >= renewedFrom),
          ),
        );
        if (refreshesAt(server) !== before + 1) wrongRounds += 1;
        if (isOwnerKilled) {
          const next = await openWindow(user);
          next.pass(passedMs);
          windows.push(next);
        }
      }
      const name = `race of ${WINDOWS} windows${isOwnerKilled ? ', the owner killed' : ''}`;
      return { name, tries: rounds, lost: 0, faults: wrongRounds, duplicates: duplicateRefreshes(server) };
    } finally {
      await Promise.all(windows.map(async (window) => window.close()));
    }
  });
}

function refreshesAt(server: FaultyServer): number {
  return server.requestsTo('token').filter(({ form }) => form?.['grant_type'] === 'refresh_token').length;
}

async function openWindow({ folder, service }: User): Promise<Window> {
  return Window.open('window', [folder, service]);
}
