import type { Faults } from '../servers/faults.ts';
import type { FaultyServer } from '../servers/faultyServer.ts';
import { type Step, STEPS } from './messages.ts';
import { ownClient } from './clients.ts';
import { killOver } from './killOver.ts';
import { duplicateRefreshes, type Tally } from './tally.ts';
import { withUser } from './user.ts';
import type { Window } from './window.ts';

/** The two ways of servers that rotate: a token that comes again ends the login, or is forgiven. */
export const SERVERS = {
  strict: { strictRotation: true },
  grace: { strictRotation: false, graceOnReuse: true },
} as const satisfies Record<string, Partial<Faults>>;
export type ServerKind = keyof typeof SERVERS;

/** Whether a login must live through a kill at this step: from the moment on in which the answer is on the disk. */
export function mustKeep(server: ServerKind, step: Step): boolean {
  const isAtServer = step === 'sent' || step === 'headers' || step === 'body';
  return server === 'grace' || !isAtServer;
}

/** Kills a window at one step of a refresh, over and over, and looks each time whether the next one has the login. */
export async function killAtStep(kind: ServerKind, step: Step, kills: number): Promise<Tally> {
  return withUser(SERVERS[kind], async (user, server) => {
    const lost = await killOver(ownClient(user), server, kills, async (window, id) => {
      if (step === 'sent') killWhenRotated(server, window);
      const outcome = await window.refresh(id, step);
      server.faults.tokenBody = undefined;
      if (outcome.type !== 'killed')
        throw new Error(`A refresh did not come to the step ${step}: ${JSON.stringify(outcome)}`);
    });
    const avoidable = mustKeep(kind, step) ? lost : 0;
    return {
      name: `${kind} server, killed: ${step}`,
      tries: kills,
      lost,
      avoidable,
      duplicates: duplicateRefreshes(server),
    };
  });
}

/** All steps at one kind of server. */
export async function killAtEachStep(kind: ServerKind, kills: number, onTally: (tally: Tally) => void): Promise<void> {
  for (const step of STEPS) onTally(await killAtStep(kind, step, kills));
}

/** Kills the window when the server has made the new tokens, and before it sends them. */
function killWhenRotated(server: FaultyServer, window: Window): void {
  server.faults.tokenBody = (body) => {
    window.kill();
    return body;
  };
}
