import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConnectionChange } from '../../../src/connections/connectionService.ts';
import { deferred } from '../../../src/connections/deferred.ts';
import type { Disposable } from '../../../src/connections/ports.ts';
import { attachToOwner } from '../../../src/owner/attachToOwner.ts';
import { type OwnedConnections, serveGuest } from '../../../src/owner/serveGuest.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { MemoryLog } from '../../headless/memoryPorts.ts';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { knock } from '../../../src/owner/knock.ts';
import { WINDOW_KEY } from '../../../src/owner/windowKey.ts';
import { PROTOCOL_VERSION } from '../../../src/owner/windowProtocol.ts';
import { socketPair } from './socketPair.ts';
import { openPage, ownerAndGuest } from './windows.ts';

describe('a guest that leaves', () => {
  it('P18 takes its connection with it, so that sign-ins still come back after hundreds of them', async (t) => {
    const { folder, keychain } = await ownerAndGuest(t);
    const { port } = JSON.parse(await readFile(path.join(folder, 'port.json'), 'utf8'));
    const key = Buffer.from(keychain.entries.get(WINDOW_KEY) ?? '', 'base64url');
    for (let guests = 0; guests < 210; guests += 1) {
      const knocked = await knock({ port, version: PROTOCOL_VERSION, keyNow: async () => key });
      assert.ok(knocked.type === 'owner', `guest ${guests} found ${knocked.type}`);
      knocked.reader.stream.destroy();
    }
    assert.equal(await openPage(new URL(`http://127.0.0.1:${port}/callback`)), 'failed');
  });

  it('while the connections are still loaded is told of no change of them', async (t) => {
    const { owner } = await ownerAndGuest(t);
    const loading = deferred<void>();
    const asked = deferred<void>();
    let listening = 0;
    const service: OwnedConnections = new Proxy(owner.manager, {
      get(manager, name) {
        if (name === 'onDidChangeConnection') {
          return (listener: (change: ConnectionChange) => void): Disposable => {
            const changes = manager.onDidChangeConnection(listener);
            listening += 1;
            return {
              dispose: () => {
                listening -= 1;
                changes.dispose();
              },
            };
          };
        }
        const value: unknown = Reflect.get(manager, name);
        return typeof value === 'function' ? value.bind(manager) : value;
      },
    });
    const { owner: ownerEnd, guest: guestEnd } = await socketPair(t);
    serveGuest(ownerEnd, {
      service,
      gateway: owner.gateway,
      prompts: owner.prompts,
      redirectUri: owner.redirectUri,
      sampleUrl: async () => owner.connections.sampleUrl(),
      whenLoaded: async () => {
        asked.resolve();
        await loading.promise;
      },
      windowName: () => '',
      log: new MemoryLog(),
    });
    const attached = attachToOwner(guestEnd, {
      windowName: '',
      focusedAt: undefined,
      window: owner.prompts,
      openBrowser: async () => true,
      clock: systemClock,
      log: new MemoryLog(),
    });
    await asked.promise;
    guestEnd.stream.destroy();
    await assert.rejects(attached, { code: 'owner_gone' });
    await once(ownerEnd.stream, 'close');
    loading.resolve();
    await nextTurn();
    assert.equal(listening, 0);
  });
});
