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

/** Who sends a refresh: the window, or a process that outlives it. */
export type Sender = 'window' | 'outliving';

/** Whether a login must live through a kill at this step: only what a window that sends itself had in its memory can go. */
function mustKeep(server: ServerKind, step: Step, sender: Sender): boolean {
  const isInMemory = step === 'sent' || step === 'headers' || step === 'body';
  return server === 'grace' || sender === 'outliving' || !isInMemory;
}

/** The steps that a window comes to: those of the exchange are not its own when another process sends. */
function stepsOf(sender: Sender): readonly Step[] {
  return sender === 'window' ? STEPS : ['sent', 'parsed', 'stored', 'announced'];
}

interface StepCase {
  readonly kind: ServerKind;
  readonly sender: Sender;
  readonly step: Step;
}

/** How many of these users are at work at once: one window mostly waits for the other processes. */
const AT_ONCE = 3;

/** Kills a window at one step of a refresh, over and over, and looks each time whether the next one has the login. */
async function killAtStep({ kind, sender, step }: StepCase, kills: number): Promise<Tally> {
  return withUser(SERVERS[kind], async (user, server) => {
    const lost = await killOver(ownClient(user, sender), server, kills, async (window, id) => {
      if (step === 'sent') killWhenRotated(server, window);
      const outcome = await window.refresh(id, step);
      server.faults.tokenBody = undefined;
      if (outcome.type !== 'killed')
        throw new Error(`A refresh did not come to the step ${step}: ${JSON.stringify(outcome)}`);
    });
    const faults = mustKeep(kind, step, sender) ? lost : 0;
    return {
      name: `${kind} server, ${sender === 'window' ? 'in process' : 'outliving'}, killed: ${step}`,
      tries: kills,
      lost,
      faults,
      duplicates: duplicateRefreshes(server),
    };
  });
}

/** All steps at both kinds of servers, whoever sends. */
export async function killAtEachStep(kills: number, onTally: (tally: Tally) => void): Promise<void> {
  const waiting = (['outliving', 'window'] as const).flatMap((sender) =>
    (['strict', 'grace'] as const).flatMap((kind) => stepsOf(sender).map((step) => ({ sender, kind, step }))),
  );
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) onTally(await killAtStep(one, kills));
  });
  await Promise.all(workers);
}

/** Kills the window when the server has made the new tokens, and before it sends them. */
function killWhenRotated(server: FaultyServer, window: Window): void {
  server.faults.tokenBody = (body) => {
    window.kill();
    return body;
  };
}
