import { lockKeyring, unlockKeyring } from '../stand/keyring.ts';
import { smallDiskAt } from '../stand/fullDisk.ts';
import { ownClient } from './clients.ts';
import { SERVERS, type ServerKind } from './killCases.ts';
import { killOver } from './killOver.ts';
import { duplicateRefreshes, type Tally } from './tally.ts';
import { withUser } from './user.ts';

/** Refreshes on a disk that takes nothing more, each followed by a kill and a start on the same disk. */
async function fullDisk(tries: number): Promise<Tally> {
  return withUser(SERVERS.strict, async (user, server) => {
    const disk = smallDiskAt(user.folder);
    try {
      const lost = await killOver(ownClient(user), server, tries, async (window, id) => {
        await disk.fill();
        await window.refresh(id);
        await window.close();
        // It starts, and renews, on the full disk as well.
        const next = await ownClient(user).open();
        await next.refresh(id);
        await next.close();
        await disk.free();
      });
      return { name: 'the disk is full', tries, lost, faults: lost, duplicates: duplicateRefreshes(server) };
    } finally {
      await disk.dispose();
    }
  });
}

/** Refreshes with a keyring that was locked meanwhile, each followed by a kill; it is unlocked before the next start. */
async function lockedKeyring(tries: number): Promise<Tally> {
  return withUser(SERVERS.strict, async (user, server) => {
    let signedOut = 0;
    const lost = await killOver(ownClient(user), server, tries, async (window, id) => {
      await window.refresh(id);
      lockKeyring();
      await window.refresh(id);
      await window.close();
      // While it is locked nothing is known; that is not to say that the login is gone.
      const next = await ownClient(user).open();
      const outcome = await next.refresh(id);
      if (outcome.type === 'failed' && outcome.code === 'sign_in_required') signedOut += 1;
      await next.close();
      await unlockKeyring();
    });
    const duplicates = duplicateRefreshes(server);
    return { name: 'the keyring is locked midway', tries, lost, faults: lost + signedOut, duplicates };
  });
}

/** The server has rotated, and breaks the connection instead of answering. A strict one has ended the login then. */
async function lostAnswers(kind: ServerKind, tries: number): Promise<Tally> {
  return withUser(SERVERS[kind], async (user, server) => {
    const lost = await killOver(ownClient(user), server, tries, async (window, id) => {
      server.faults.dropTokenAnswer = true;
      await window.refresh(id);
      server.faults.dropTokenAnswer = false;
    });
    const faults = kind === 'grace' ? lost : undefined;
    return {
      name: `${kind} server, answer lost on the way`,
      tries,
      lost,
      faults,
      duplicates: duplicateRefreshes(server),
    };
  });
}

/** What else can happen to a refresh. */
export async function meetTroubles(tries: number, onTally: (tally: Tally) => void): Promise<void> {
  onTally(await lostAnswers('strict', tries));
  onTally(await lostAnswers('grace', tries));
  onTally(await lockedKeyring(tries));
  onTally(await fullDisk(tries));
}
