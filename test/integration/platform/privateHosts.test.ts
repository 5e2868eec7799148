import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import type { Reach } from '../../../src/oauth/fetchPort.ts';
import { createGuardedFetch } from '../../../src/platform/guardedFetch.ts';

const SERVER = 'https://mcp.corp.example/mcp';

/** A fetch in the office, where the server has a private address, and `goHome`, where the same name has a public one. */
async function startInOffice(t: TestContext) {
  let address = '10.0.0.1';
  let onLookup: (() => void) | undefined;
  const lookup = async () => {
    onLookup?.();
    return [{ address, family: 4 }];
  };
  const guarded = createGuardedFetch({ version: '0', lookup });
  t.after(() => guarded.dispose());
  assert.equal(await guarded.resolveReach(SERVER), 'private');
  return {
    guarded,
    goHome: () => {
      address = '1.1.1.1';
    },
    /** Begins a request, gives it up once its name is looked up, and gives what it ended in. */
    beginRequest: async (reach: Reach): Promise<unknown> => {
      const controller = new AbortController();
      const looked = new Promise<void>((resolve) => {
        onLookup = resolve;
      });
      const outcome = guarded.fetch(SERVER, { method: 'GET', reach, signal: controller.signal }).catch(String);
      await looked;
      await setImmediate();
      controller.abort('given up');
      return outcome;
    },
  };
}

describe('a host whose address was private', () => {
  it('P20 is refused once it is public, for a request that may reach private addresses', async (t) => {
    const { guarded, goHome } = await startInOffice(t);
    goHome();
    const request = guarded.fetch(SERVER, { method: 'GET', reach: 'private' });
    await assert.rejects(request, (error) => {
      assert.ok(isOAuthError(error, 'address_refused'));
      assert.equal(error.details.address, '1.1.1.1');
      return true;
    });
  });

  it('P20 can be reached once it is public, by a request that may reach nothing else', async (t) => {
    const { beginRequest, goHome, guarded } = await startInOffice(t);
    goHome();
    const reach = await guarded.resolveReach(SERVER);
    assert.equal(reach, 'public');
    assert.equal(await beginRequest(reach), 'given up');
  });

  it('P20 stays out of reach for a request that may reach public addresses alone', async (t) => {
    const { guarded } = await startInOffice(t);
    const request = guarded.fetch(SERVER, { method: 'GET', reach: 'public' });
    await assert.rejects(request, (error) => isOAuthError(error, 'address_refused'));
  });
});
