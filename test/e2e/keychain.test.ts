import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { startKeyring } from '../stand/keyring.ts';
import { withSession } from './session.ts';
import { SignInPage } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

async function connect(workbench: Workbench, sample: SampleServer): Promise<void> {
  await workbench.servers.show();
  await workbench.runCommand('Scopekeeper: Connect Server…');
  await workbench.quickInput.waitFor('URL');
  const signIn = await SignInPage.openedBy(workbench, sample, async () => workbench.quickInput.answer(sample.mcpUrl));
  await signIn.decide('allow');
  await signIn.page.close();
  await workbench.servers.row(/2 scopes/).waitFor();
}

async function renew(workbench: Workbench): Promise<void> {
  await workbench.runCommand('Scopekeeper: Refresh Token Now');
  await workbench.servers.expand(/2 scopes/);
  await workbench.servers.row('Token renewed').waitFor();
}

test('a locked keychain is told, nothing is taken for signed out, and unlocking it is enough', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-locked-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  const keys = path.join(folder, 'keys');
  /** A new editor over the same data, as after logging in again. */
  const session = async (
    state: 'unlocked' | 'locked',
    body: (workbench: Workbench) => Promise<void>,
  ): Promise<void> => {
    const keyring = await startKeyring(keys, state);
    try {
      const options = { folder: path.join(folder, 'code-server'), env: keyring.env };
      await withSession(`keychain-${state}`, async ({ workbench }) => body(workbench), options);
    } finally {
      await keyring.dispose();
    }
  };

  await session('unlocked', async (workbench) => connect(workbench, sample));
  await session('locked', async (workbench) => {
    const { notifications, servers } = workbench;
    await servers.show();
    await servers.row(/2 scopes/).waitFor();
    await workbench.runCommand('Scopekeeper: Refresh Token Now');
    await notifications.item(/keychain of this computer is locked.*nothing is lost/).waitFor();
    await servers.row('keychain locked').waitFor();
    await workbench.screenshot('keychain-locked');
  });
  await session('unlocked', async (workbench) => {
    await workbench.servers.show();
    await renew(workbench);
  });
});

test('without a keychain the person is told once, and the editor keeps the tokens over a restart', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession(
    'no-keychain',
    async ({ server, workbench }) => {
      await connect(workbench, sample);
      await workbench.notifications.item(/no keychain service.*secret storage of this editor/).waitFor();
      await workbench.screenshot('no-keychain');
      await workbench.clearNotifications();
      await server.restart();
      await workbench.reload();
      await workbench.servers.show();
      await renew(workbench);
    },
    { env: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' } },
  );
});
