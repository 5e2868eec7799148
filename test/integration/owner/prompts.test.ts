import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import type { Clock } from '../../../src/connections/ports.ts';
import type { AskConsent, ConsentAnswer, ConsentRequest } from '../../../src/gateway/ports.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { TestWindow } from '../../headless/testWindow.ts';
import { newUser } from './windows.ts';

const REQUEST: ConsentRequest = {
  clientName: 'A client',
  redirectUri: 'http://127.0.0.1:1/callback',
  remembered: ['search'],
};

/** What a window was asked, and the person who answers there. */
class Person {
  readonly asked: ConsentRequest[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #answer = deferred<ConsentAnswer>();
  readonly #wasAsked = deferred<void>();

  readonly askConsent: AskConsent = async (request, signal) => {
    this.asked.push(request);
    this.signals.push(signal);
    this.#wasAsked.resolve();
    return this.#answer.promise;
  };

  async wasAsked(): Promise<void> {
    return this.#wasAsked.promise;
  }

  say(answer: ConsentAnswer): void {
    this.#answer.resolve(answer);
  }

  fail(reason: Error): void {
    this.#answer.promise.catch(() => undefined); // it may not be waited for yet
    this.#answer.reject(reason);
  }
}

/** An owner and two guests, each with a person in front of it who is asked. */
async function threeWindows(t: Parameters<typeof newUser>[0]) {
  const { open, server } = await newUser(t);
  const people = { owner: new Person(), one: new Person(), two: new Person() };
  let last = 0;
  // Two instants in the same millisecond would be in no order.
  const clock: Clock = { ...systemClock, now: () => (last = Math.max(Date.now(), last + 1)) };
  const owner = open('owner', { asks: people.owner, clock });
  const { id } = await owner.connections.add(server.mcpUrl);
  const [one, two] = [open('one', { asks: people.one, clock }), open('two', { asks: people.two, clock })];
  await one.role.look();
  await two.role.look();
  return { owner, one, two, people, id };
}

/** The person goes to a window; its owner knows it then. */
async function focus(...windows: readonly TestWindow[]): Promise<void> {
  for (const window of windows) {
    window.connections.noteFocus();
    // What is asked later is answered after it.
    await window.connections.redirectUri('uri_handler');
  }
}

/** Waits until the window has found, or become, another owner. */
async function settledAnew({ role }: TestWindow): Promise<void> {
  return new Promise((resolve) => {
    role.onDidChange((state) => {
      if (state.type === 'owner' || (state.type === 'guest' && state.isConnected)) resolve();
    });
  });
}

describe('a question of the owner', () => {
  it('P44 comes up in the window focused last, whichever that is, and in no other', async (t) => {
    const { owner, one, two, people, id } = await threeWindows(t);
    await focus(owner, two, one);
    people.one.say({ type: 'allowed', connection: id, allowedTools: ['a'] });
    const { signal } = new AbortController();
    assert.deepEqual(await owner.prompts.askConsent(REQUEST, signal), {
      type: 'allowed',
      connection: id,
      allowedTools: ['a'],
    });
    assert.deepEqual(people.one.asked, [REQUEST]);
    await focus(two);
    people.two.say({ type: 'denied' });
    assert.deepEqual(await owner.prompts.askConsent(REQUEST, signal), { type: 'denied' });
    await focus(owner);
    people.owner.say({ type: 'denied' });
    await owner.prompts.askConsent(REQUEST, signal);
    assert.deepEqual([people.owner.asked.length, people.one.asked.length, people.two.asked.length], [1, 1, 1]);
  });

  it('P44 comes up in the owner where the person was seen in no window', async (t) => {
    const { owner, people } = await threeWindows(t);
    people.owner.say({ type: 'denied' });
    assert.deepEqual(await owner.prompts.askConsent(REQUEST, new AbortController().signal), { type: 'denied' });
  });

  it('P44 goes to the next window when that one dies, and is not answered by its death', async (t) => {
    const { owner, one, two, people } = await threeWindows(t);
    await focus(two, one);
    const answer = owner.prompts.askConsent(REQUEST, new AbortController().signal);
    await people.one.wasAsked();
    await one.role.dispose();
    await people.two.wasAsked();
    await two.role.dispose();
    await people.owner.wasAsked();
    people.owner.say({ type: 'denied' });
    assert.deepEqual(await answer, { type: 'denied' });
    assert.deepEqual([people.one.asked.length, people.two.asked.length, people.owner.asked.length], [1, 1, 1]);
  });

  it('P44 goes to the next window when one cannot ask', async (t) => {
    const { owner, one, people } = await threeWindows(t);
    await focus(one);
    people.one.fail(new Error('no dialog here'));
    people.owner.say({ type: 'denied' });
    assert.deepEqual(await owner.prompts.askConsent(REQUEST, new AbortController().signal), { type: 'denied' });
  });

  it('P44 is taken back where it came up, and answered by nobody then', async (t) => {
    const { owner, one, people } = await threeWindows(t);
    await focus(one);
    const controller = new AbortController();
    const answer = owner.prompts.askConsent(REQUEST, controller.signal);
    await people.one.wasAsked();
    const [signal] = people.one.signals;
    assert.ok(signal !== undefined);
    const takenBack = once(signal, 'abort');
    controller.abort(new Error('the client has gone'));
    await assert.rejects(answer, /the client has gone/);
    await takenBack;
    assert.deepEqual([people.two.asked.length, people.owner.asked.length], [0, 0]);
  });

  it('P44 is taken back when the owner goes, and the next owner knows where the person was', async (t) => {
    const { owner, one, two, people } = await threeWindows(t);
    await focus(one, two);
    const answer = owner.prompts.askConsent(REQUEST, new AbortController().signal);
    await people.two.wasAsked();
    const [signal] = people.two.signals;
    assert.ok(signal !== undefined);
    const takenBack = once(signal, 'abort');
    const settled = [one, two].map(async (window) => settledAnew(window));
    await Promise.all([owner.dispose(), assert.rejects(answer, { code: 'owner_gone' }), takenBack]);
    await Promise.all(settled);
    const next = [one, two].find(({ role }) => role.state.type === 'owner');
    assert.ok(next !== undefined);
    people.two.say({ type: 'denied' });
    await next.prompts.askConsent(REQUEST, new AbortController().signal);
    assert.deepEqual([people.one.asked.length, people.two.asked.length], [0, 2]);
  });

  it('tells a demand where the person is, and waits for the answer', async (t) => {
    const { open, server } = await newUser(t);
    const told: object[] = [];
    const owner = open('owner');
    const { id } = await owner.connections.add(server.mcpUrl);
    const guest = open('guest', { asks: { tellDemand: async (demand) => void told.push(demand) } });
    await guest.role.look();
    await focus(guest);
    const demand = { connection: id, scopes: ['a', 'b'], operation: 'tools/call add' };
    await owner.prompts.tellDemand(demand, new AbortController().signal);
    assert.deepEqual(told, [demand]);
  });
});
