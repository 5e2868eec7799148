import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { deferred, type Deferred } from '../../../src/connections/deferred.ts';
import type { ConsentAnswer } from '../../../src/gateway/ports.ts';
import {
  allowedOf,
  type AuthorizationFixture,
  sayYes,
  serveAuthorization,
} from '../../headless/gatewayAuthorization.ts';
import { browse, createGatewayClient, type GatewayClient, NAVIGATION } from '../../headless/gatewayClient.ts';

let gateway: AuthorizationFixture;
let client: GatewayClient;

/** A question that the person has before them. */
interface Question {
  readonly answer: (answer: ConsentAnswer) => void;
  readonly signal: AbortSignal;
}

let asked: Question[] = [];
let nextQuestion: Deferred<Question>;

beforeEach(async () => {
  gateway = await serveAuthorization();
  client = createGatewayClient(gateway.origin);
  await client.register();
  asked = [];
  nextQuestion = deferred();
  gateway.askConsent = async (_request, signal) => {
    const { promise, resolve } = deferred<ConsentAnswer>();
    const question = { answer: resolve, signal };
    asked.push(question);
    nextQuestion.resolve(question);
    nextQuestion = deferred();
    return promise;
  };
});
afterEach(async () => gateway.stop());

/** Where the page sends the browser on to. */
function nextOf(headers: Readonly<Record<string, string | string[] | undefined>>): URL {
  const [, path = ''] = /^0; url=(\/oauth\/authorize\/[\w-]{43})$/.exec(String(headers['refresh'])) ?? [];
  return new URL(path, gateway.origin);
}

describe('an authorization in a browser', { timeout: 30_000 }, () => {
  it('P44 shows at once where to answer, and goes on when the person has', async () => {
    const page = await browse(client.authorizationUrl());
    assert.equal(page.status, 200);
    assert.match(page.text, /Answer in the editor/);
    assert.match(page.text, /calls itself Plain/);
    assert.doesNotMatch(page.text, /<script|https?:/);
    assert.equal(gateway.questions.length, 0);
    const question = nextQuestion.promise;
    const waiting = browse(nextOf(page.headers));
    const { answer } = await question;
    answer(allowedOf('notes'));
    const answered = await waiting;
    assert.equal(answered.status, 302);
    const callback = new URL(String(answered.headers.location));
    assert.equal((await client.exchange(callback)).status, 200);
  });

  it('P44 puts the name of the client on the page as text', async () => {
    await client.register({ client_name: '<img src=x onerror=alert(1)>"' });
    const { text } = await browse(client.authorizationUrl());
    assert.match(text, /&lt;img src=x onerror=alert\(1\)&gt;&quot;/);
    assert.doesNotMatch(text, /<img/);
  });

  it('P44 waits once for each page, and not for one that was never opened', async () => {
    const { headers } = await browse(client.authorizationUrl());
    const question = nextQuestion.promise;
    const waiting = browse(nextOf(headers));
    (await question).answer({ type: 'denied' });
    assert.match(String((await waiting).headers.location), /error=access_denied/);
    assert.equal((await browse(nextOf(headers))).status, 400);
    assert.equal((await browse(`${gateway.origin}/oauth/authorize/${'x'.repeat(43)}`)).status, 400);
    const late = nextOf((await browse(client.authorizationUrl())).headers);
    gateway.clock.advance(60_000);
    const answer = await browse(late);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /waited too long/);
    assert.equal(gateway.questions.length, 1);
  });

  it('P44 takes the question back when the tab is closed', async () => {
    const { headers } = await browse(client.authorizationUrl());
    const tab = new AbortController();
    const question = nextQuestion.promise;
    const waiting = browse(nextOf(headers), NAVIGATION, tab.signal);
    const { answer, signal } = await question;
    const takenBack = once(signal, 'abort');
    tab.abort();
    await assert.rejects(waiting);
    await takenBack;
    // A yes that crossed it gives nobody a code, and the next one is asked.
    answer(allowedOf('notes'));
    gateway.askConsent = sayYes;
    assert.notEqual((await client.authorize()).searchParams.get('code'), null);
  });

  const hidden: readonly [string, Readonly<Record<string, string>>][] = [
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', 'sec-fetch-site': 'cross-site' }],
    ['a script', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'cross-site' }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' }],
    ['an embedded object', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'embed', 'sec-fetch-site': 'cross-site' }],
    ['a mode alone', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'same-site' }],
  ];
  for (const [name, headers] of hidden) {
    it(`P44 by ${name} of a page is refused, and nobody is asked`, async () => {
      assert.equal((await browse(client.authorizationUrl(), headers)).status, 403);
      const next = nextOf((await browse(client.authorizationUrl())).headers);
      assert.equal((await browse(next, headers)).status, 403);
      assert.equal(gateway.questions.length, 0);
    });
  }
});

describe('an authorization without a browser', { timeout: 30_000 }, () => {
  it('P44 waits for the person itself', async () => {
    for (const headers of [{}, { 'sec-fetch-mode': 'cors' }]) {
      const question = nextQuestion.promise;
      const waiting = browse(client.authorizationUrl(), headers);
      (await question).answer(allowedOf('notes'));
      assert.match(String((await waiting).headers.location), /code=/);
    }
  });

  it('P44 takes the question back when it leaves', async () => {
    const leaving = new AbortController();
    const question = nextQuestion.promise;
    const waiting = browse(client.authorizationUrl(), {}, leaving.signal);
    const { signal } = await question;
    const takenBack = once(signal, 'abort');
    leaving.abort();
    await assert.rejects(waiting);
    await takenBack;
  });

  it('P44 asks for five minutes', async () => {
    const question = nextQuestion.promise;
    const waiting = browse(client.authorizationUrl(), {});
    const { signal } = await question;
    gateway.clock.advance(5 * 60_000 - 1);
    assert.equal(signal.aborted, false);
    gateway.clock.advance(1);
    assert.equal(signal.aborted, true);
    const location = String((await waiting).headers.location);
    assert.match(location, /error=access_denied/);
    assert.match(location, /Nobody\+answered/);
  });
});

/** Sends so many requests, and gives where each is sent on to once it is. */
function openAll(count: number, of: (index: number) => GatewayClient): Promise<string>[] {
  const waiting: Promise<string>[] = [];
  for (let index = 0; index < count; index += 1) {
    const sent = browse(of(index).authorizationUrl(), {});
    waiting.push(sent.then(({ headers }) => String(headers.location)));
  }
  return waiting;
}

/** Waits until so many of them are answered. */
async function answeredOf(waiting: readonly Promise<string>[], count: number): Promise<void> {
  const { promise, resolve } = deferred<void>();
  let answered = 0;
  for (const one of waiting) {
    const counted = one.then(() => {
      answered += 1;
      if (answered === count) resolve();
    });
    counted.catch(() => undefined);
  }
  await promise;
}

describe('several questions', { timeout: 30_000 }, () => {
  it('P44 are put one at a time', async () => {
    const other = createGatewayClient(gateway.origin);
    await other.register({ client_name: 'Other' });
    const first = nextQuestion.promise;
    const waiting = openAll(2, (index) => (index === 0 ? client : other));
    const { answer } = await first;
    await new Promise(setImmediate);
    assert.equal(asked.length, 1);
    const second = nextQuestion.promise;
    answer({ type: 'denied' });
    (await second).answer(allowedOf('notes'));
    const answers = await Promise.all(waiting);
    assert.equal(answers.filter((location) => location.includes('code=')).length, 1);
    assert.equal(gateway.questions.length, 2);
  });

  it('P44 of one client wait two at most', async () => {
    const first = nextQuestion.promise;
    const waiting = openAll(5, () => client);
    const { answer } = await first;
    await answeredOf(waiting, 3);
    gateway.askConsent = async () => ({ type: 'denied' });
    answer({ type: 'denied' });
    const answers = await Promise.all(waiting);
    assert.equal(answers.filter((location) => location.includes('temporarily_unavailable')).length, 3);
    assert.equal(gateway.questions.length, 2);
  });

  it('P44 of all clients wait ten at most', async () => {
    const clients = await Promise.all(
      Array.from({ length: 13 }, async () => {
        const one = createGatewayClient(gateway.origin);
        await one.register();
        return one;
      }),
    );
    const first = nextQuestion.promise;
    const waiting = openAll(13, (index) => clients[index] ?? client);
    const { answer } = await first;
    await answeredOf(waiting, 3);
    gateway.askConsent = async () => ({ type: 'denied' });
    answer({ type: 'denied' });
    const answers = await Promise.all(waiting);
    assert.equal(answers.filter((location) => location.includes('temporarily_unavailable')).length, 3);
  });

  it('P44 come 30 times in ten minutes at most', async () => {
    gateway.askConsent = async () => ({ type: 'denied' });
    for (let count = 1; count <= 30; count += 1) {
      assert.equal((await client.authorize()).searchParams.get('error'), 'access_denied');
    }
    assert.equal((await client.authorize()).searchParams.get('error'), 'temporarily_unavailable');
    gateway.clock.advance(10 * 60_000);
    assert.equal((await client.authorize()).searchParams.get('error'), 'access_denied');
  });

  it('P44 that fail in the editor hold up no other', async () => {
    gateway.askConsent = async () => {
      throw new Error('the editor failed');
    };
    assert.equal((await browse(client.authorizationUrl(), {})).status, 503);
    gateway.askConsent = sayYes;
    assert.notEqual((await client.authorize()).searchParams.get('code'), null);
  });
});
