import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { knock } from '../../../src/owner/knock.ts';
import { WINDOW_KEY } from '../../../src/owner/windowKey.ts';
import { PROTOCOL_VERSION } from '../../../src/owner/windowProtocol.ts';
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
});
