import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { decide, openConsent } from '../../headless/sampleStand.ts';
import { newUser, openPage, until } from '../owner/windows.ts';

/** Presses Allow. */
async function browser(url: string): Promise<void> {
  await openPage(await decide(await openConsent(url), 'allow'));
}

/** Two windows of a user who presses Allow, the first of which keeps the connections. */
async function twoWindows(t: TestContext) {
  const user = await newUser(t);
  const owner = user.open('the owner', { browser });
  await owner.role.ensureReady();
  const guest = user.open('the guest', { browser });
  await guest.role.ensureReady();
  assert.equal(guest.role.state.type, 'guest');
  return { owner, guest };
}

describe('the sample server of several windows', () => {
  it('is served by the owner, also when a guest tries it', async (t) => {
    const { owner, guest } = await twoWindows(t);
    const url = await guest.connections.sampleUrl();
    assert.equal(await owner.connections.sampleUrl(), url);
    const { id } = await guest.connections.add(url);
    await guest.connections.authorize(id);
    assert.equal(owner.connections.get(id)?.state.type, 'ready');
  });

  it('is served by the next owner, at the same address and with the same tokens', async (t) => {
    const { owner, guest } = await twoWindows(t);
    const url = await owner.connections.sampleUrl();
    const { id } = await owner.connections.add(url);
    await owner.connections.authorize(id);
    await until(guest.connections, id, ({ state }) => state.type === 'ready');
    const tookOver = new Promise<void>((resolve) => {
      guest.role.onDidChange(({ type }) => {
        if (type === 'owner') resolve();
      });
    });
    await owner.dispose();
    await tookOver;
    const { state } = await guest.connections.refresh(id);
    assert.equal(state.type, 'ready');
    assert.equal(await guest.connections.sampleUrl(), url);
  });
});
