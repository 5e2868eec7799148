import type { ConnectionManager } from '../../src/connections/connectionManager.ts';
import type { Clock, Log } from '../../src/connections/ports.ts';
import type { SealingKeys } from '../../src/connections/sealingKeys.ts';
import { lifetimesFrom } from '../../src/gateway/authorization/lifetimes.ts';
import { createOwnedGateway } from '../../src/gatewayParts.ts';
import { type PromptingWindow, Prompts } from '../../src/owner/prompts.ts';
import type { GuardedFetch } from '../../src/platform/guardedFetch.ts';

export interface WindowGatewayParts {
  readonly manager: ConnectionManager;
  readonly guardedFetch: GuardedFetch;
  /** The user's folder. */
  readonly folder: string;
  readonly keys: SealingKeys;
  readonly origin: () => string;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a client waits for the person; 120 s by default. */
  readonly stepUpTimeoutMs?: number | undefined;
  /** What the person says in this window; nothing at all by default. */
  readonly asks?: Partial<PromptingWindow> | undefined;
}

/** The gateway of a window without an editor, and where it asks the person. */
export function createWindowGateway({ asks, stepUpTimeoutMs = 120_000, ...parts }: WindowGatewayParts) {
  const { clock, log } = parts;
  const window: PromptingWindow = { askConsent: nobody, tellDemand: nobody, tellPort: nobody, ...asks };
  const prompts = new Prompts(window, { clock, log });
  const gateway = createOwnedGateway({
    ...parts,
    askConsent: prompts.askConsent,
    tellDemand: prompts.tellDemand,
    renderPage: ({ type }) => type,
    lifetimes: () => lifetimesFrom({}),
    stepUpTimeoutMs: () => stepUpTimeoutMs,
    onTrouble: (error) => log.error(`The registry cannot be used: ${String(error)}`),
    version: '0.0.0',
  });
  return { gateway, prompts, window };
}

/** Waits for the person, who is away. */
async function nobody(_: unknown, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
