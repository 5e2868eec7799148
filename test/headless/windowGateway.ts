import type { Clock, Log } from '../../src/connections/ports.ts';
import { OwnedGateway } from '../../src/gateway/ownedGateway.ts';
import type { GatewayConnections } from '../../src/gateway/ports.ts';
import { type PromptingWindow, Prompts } from '../../src/owner/prompts.ts';
import { MemoryAccesses } from './memoryAccesses.ts';

export interface WindowGatewayParts {
  readonly connections: GatewayConnections;
  readonly origin: () => string;
  readonly clock: Clock;
  readonly log: Log;
  /** What the person says in this window; nothing at all by default. */
  readonly asks?: Partial<PromptingWindow> | undefined;
}

/** The gateway of a window without an editor, and where it asks the person. */
export function createWindowGateway({ asks, clock, connections, log, origin }: WindowGatewayParts) {
  const window: PromptingWindow = { askConsent: nobody, tellDemand: nobody, tellPort: nobody, ...asks };
  const accesses = new MemoryAccesses(connections);
  const gateway = new OwnedGateway({
    registry: accesses,
    connections,
    handle: (_, response) => void response.writeHead(401).end(),
    listTools: async ({ slug }) => [{ name: `tool of ${slug}` }],
    origin,
    onTrouble: () => undefined,
    clock,
  });
  return { accesses, gateway, prompts: new Prompts(window, { clock, log }), window };
}

/** Waits for the person, who is away. */
async function nobody(_: unknown, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
