import { setTimeout as delay } from 'node:timers/promises';
import { naiveClient, ownClient } from './clients.ts';
import { SERVERS } from './killCases.ts';
import { type Client, killOver } from './killOver.ts';
import { duplicateRefreshes, type Tally } from './tally.ts';
import { withUser } from './user.ts';
import type { User, Window } from './window.ts';

/** How many undisturbed refreshes tell how long one takes. */
const MEASURED = 9;
/** A server is not next door. */
const SERVER_MS = 20;

/** Kills windows, and for comparison the naive client, at random moments of a refresh at the strict server. */
export async function killAtRandom(kills: number, onTally: (tally: Tally) => void): Promise<void> {
  onTally(await randomKills('strict server, killed at random', ownClient, kills));
  onTally(await randomKills('the naive client, killed at random', naiveClient, kills));
}

async function randomKills(name: string, clientOf: (user: User) => Client, kills: number): Promise<Tally> {
  return withUser({ ...SERVERS.strict, delayMs: { token: SERVER_MS } }, async (user, server) => {
    const client = clientOf(user);
    let longestMs: number | undefined;
    const lost = await killOver(client, server, kills, async (window, id) => {
      longestMs ??= await medianMs(window, id);
      const killed = delay(Math.random() * longestMs).then(() => window.kill());
      await Promise.all([window.refresh(id), killed]);
    });
    return { name, tries: kills, lost, faults: undefined, duplicates: duplicateRefreshes(server) };
  });
}

/** How long a refresh takes that nobody disturbs. */
async function medianMs(window: Window, id: string): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < MEASURED; count += 1) {
    const startedAt = performance.now();
    await window.refresh(id);
    times.push(performance.now() - startedAt);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(MEASURED / 2)] ?? 0;
}
