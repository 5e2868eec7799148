import type { FaultyServer } from '../servers/faultyServer.ts';
import type { Window } from './window.ts';

/** Who keeps a login in processes that are killed: our token manager, or what it is compared with. */
export interface Client {
  /** Starts a process on what is stored. */
  open(): Promise<Window>;
  /** Signs in anew; gives what {@link Window.refresh} is to renew. */
  signIn(window: Window, server: FaultyServer): Promise<string>;
}

/** Kills processes by `kill`, over and over, and counts the logins that the ones after them no longer have. */
export async function killOver(
  client: Client,
  server: FaultyServer,
  kills: number,
  kill: (window: Window, id: string) => Promise<void>,
): Promise<number> {
  let lost = 0;
  let window = await client.open();
  try {
    let id = await client.signIn(window, server);
    for (let count = 0; count < kills; count += 1) {
      await kill(window, id);
      await window.close();
      window = await client.open();
      const outcome = await window.refresh(id);
      if (outcome.type === 'renewed') continue;
      lost += 1;
      id = await client.signIn(window, server);
    }
    return lost;
  } finally {
    await window.close();
  }
}
