import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallbackOutcome } from '../../../src/connections/connectionService.ts';
import { PendingCallbacks } from '../../../src/connections/pendingCallbacks.ts';

const OUTCOME: CallbackOutcome = { type: 'failed', error: 'what became of it' };

function callback(query: string): URL {
  return new URL(`http://127.0.0.1:7777/callback?${query}`);
}

describe('P16 a callback', () => {
  it('goes to the sign-in with its state, whose outcome it gives', async () => {
    const pending = new PendingCallbacks();
    const one = pending.expect('one', Promise.resolve<CallbackOutcome>({ type: 'failed', error: 'another' }));
    const two = pending.expect('two', Promise.resolve(OUTCOME));
    assert.equal(await pending.deliver(callback('state=two&code=c')), OUTCOME);
    assert.equal((await two.url).href, callback('state=two&code=c').href);
    one.dispose();
  });

  it('is taken once, and known again', async () => {
    const pending = new PendingCallbacks();
    const { url } = pending.expect('one', Promise.resolve(OUTCOME));
    assert.equal(pending.isRepeated(callback('state=one')), false);
    await pending.deliver(callback('state=one'));
    await url;
    assert.equal(await pending.deliver(callback('state=one')), undefined);
    assert.equal(pending.isRepeated(callback('state=one')), true);
  });

  for (const query of ['', 'state=', 'state=other', 'state=one&state=one', 'state=one&state=other', 'code=one']) {
    it(`with ${query || 'no state'} is refused, and ends no sign-in that waits`, async () => {
      const pending = new PendingCallbacks();
      const { url } = pending.expect('one', Promise.resolve(OUTCOME));
      assert.equal(await pending.deliver(callback(query)), undefined);
      assert.equal(pending.isRepeated(callback(query)), false);
      assert.equal(await pending.deliver(callback('state=one')), OUTCOME);
      assert.equal((await url).searchParams.get('state'), 'one');
    });
  }

  it('is no longer taken when its sign-in has ended', async () => {
    const pending = new PendingCallbacks();
    pending.expect('one', Promise.resolve(OUTCOME)).dispose();
    assert.equal(await pending.deliver(callback('state=one')), undefined);
    assert.equal(pending.isRepeated(callback('state=one')), false);
  });

  it('is known again among the last twenty', async () => {
    const pending = new PendingCallbacks();
    const states = Array.from({ length: 30 }, (_, index) => `s${index}`);
    for (const state of states) {
      pending.expect(state, Promise.resolve(OUTCOME));
      await pending.deliver(callback(`state=${state}`));
    }
    const known = states.filter((state) => pending.isRepeated(callback(`state=${state}`)));
    assert.deepEqual(known.slice(-20), states.slice(-20));
    assert.ok(known.length < 25, 'those of long ago are forgotten');
  });
});
