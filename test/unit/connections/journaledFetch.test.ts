import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConnectionError } from '../../../src/connections/errors.ts';
import type {
  Exchange,
  ExchangeJournal,
  ExchangeKey,
  JournaledAnswer,
  OutlivingFetch,
} from '../../../src/connections/exchangeJournal.ts';
import { JournaledFetch } from '../../../src/connections/journaledFetch.ts';
import type { Fetch, FetchRequest } from '../../../src/oauth/fetchPort.ts';
import { ManualClock, MemoryLog } from '../../headless/memoryPorts.ts';

/** A journal that tells what was done to it, and finds what it is told to find. */
class ScriptedJournal implements ExchangeJournal {
  readonly steps: string[] = [];
  finds: (Exchange | Error | undefined)[] = [];
  recorded: JournaledAnswer | undefined;

  async prepare(): Promise<void> {
    this.steps.push('prepare');
  }
  async find(): Promise<Exchange | undefined> {
    const found = this.finds.shift();
    if (found instanceof Error) throw found;
    return found;
  }
  async begin(key: ExchangeKey, deadlineAt: number): Promise<void> {
    this.steps.push(`begin ${key.connectionId} ${key.generation} ${key.refreshToken} ${deadlineAt}`);
  }
  async record(_key: ExchangeKey, answer: JournaledAnswer): Promise<void> {
    this.steps.push('record');
    this.recorded = answer;
  }
  async end(): Promise<void> {
    this.steps.push('end');
  }
  async setAside(): Promise<void> {
    this.steps.push('set aside');
  }
  async forget(): Promise<void> {
    this.steps.push('forget');
  }
}

const URL = 'https://as.example/token';
const underWay = { type: 'sent', isUnderWay: true } as const;
const cutOff = { type: 'sent', isUnderWay: false } as const;
const answered = {
  type: 'answered',
  generation: 9,
  answer: { status: 201, headers: { 'content-type': 'a/b' }, body: 'from the journal', answeredAt: 7 },
} as const;

function refreshRequest(more: Partial<FetchRequest> = {}): FetchRequest {
  return { method: 'POST', body: 'grant_type=refresh_token&refresh_token=rt', reach: 'public', ...more };
}

let journal: ScriptedJournal;
let clock: ManualClock;
let log: MemoryLog;
let fetch: Fetch;
let sent: FetchRequest[];
let journaled: JournaledFetch;
/** What a process that outlives this one gives, and how often it was asked. */
let outlived: Awaited<ReturnType<OutlivingFetch>>;
let outlivedKeys: ExchangeKey[];
let canBeLost: boolean;

beforeEach(() => {
  journal = new ScriptedJournal();
  clock = new ManualClock(1000);
  log = new MemoryLog();
  sent = [];
  fetch = async (_url, request) => {
    sent.push(request);
    journal.steps.push('send');
    const headers = { 'content-type': 'application/json', 'dpop-nonce': 'n', 'x-other': 'o' };
    return new Response('{"access_token":"at"}', { headers });
  };
  outlived = undefined;
  outlivedKeys = [];
  canBeLost = false;
  const outlivingFetch: OutlivingFetch = async (key) => {
    outlivedKeys.push(key);
    return outlived;
  };
  const ports = { fetch: async (...args: Parameters<Fetch>) => fetch(...args), journal, outlivingFetch, clock, log };
  journaled = new JournaledFetch(ports, { connectionId: 'c', generation: 4 }, () => canBeLost);
});

const unreadable = new ConnectionError('storage_failed', { operation: 'read', path: '/journal', problem: 'EBUSY' });

/** So many looks at the journal. */
async function letPass(looks: number): Promise<void> {
  for (let look = 1; look <= looks; look += 1) {
    await nextTurn();
    clock.advance(100);
  }
  await nextTurn();
}

describe('a fetch with a journal', () => {
  it('P31 notes what is sent, sends it, and has the answer on disk before it is given back', async () => {
    const response = await journaled.fetch(URL, refreshRequest());
    assert.deepEqual(journal.steps, ['begin c 4 rt 16000', 'send', 'record', 'end']);
    assert.equal(await response.text(), '{"access_token":"at"}');
    assert.deepEqual(journal.recorded, {
      status: 200,
      headers: { 'content-type': 'application/json', 'dpop-nonce': 'n' },
      body: '{"access_token":"at"}',
      answeredAt: 1000,
    });
    assert.ok(journaled.isRecorded);
    assert.equal(journaled.replayed, undefined);
  });

  for (const [title, request] of [
    ['a GET', { method: 'GET', reach: 'public' }],
    ['a code exchange', refreshRequest({ body: 'grant_type=authorization_code&refresh_token=rt' })],
    ['a refresh without a token', refreshRequest({ body: 'grant_type=refresh_token' })],
  ] as const) {
    it(`P31 leaves ${title} alone`, async () => {
      await journaled.fetch(URL, request);
      assert.deepEqual(journal.steps, ['send']);
      assert.deepEqual(sent, [request]);
    });
  }

  it('P31 sends on though who asked has given up', async () => {
    const abort = new AbortController();
    const response = journaled.fetch(URL, refreshRequest({ signal: abort.signal }));
    abort.abort();
    assert.equal((await response).status, 200);
    assert.equal(sent[0]?.signal, undefined);
  });

  it('P31 gives back an answer that is there, as it came, and sends nothing', async () => {
    journal.finds = [answered];
    const response = await journaled.fetch(URL, refreshRequest());
    assert.deepEqual(journal.steps, []);
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('content-type'), 'a/b');
    assert.equal(await response.text(), 'from the journal');
    assert.deepEqual(journaled.replayed, { answeredAt: 7, generation: 9 });
  });

  it('P31 puts an answer aside when the same token is to be sent again', async () => {
    journal.finds = [answered];
    await journaled.fetch(URL, refreshRequest());
    await journaled.fetch(URL, refreshRequest());
    assert.deepEqual(journal.steps, ['set aside', 'begin c 4 rt 16000', 'send', 'record', 'end']);
    assert.equal(journaled.replayed, undefined);
  });

  it('P31 keeps what was stored when another token is sent, and when something later fails', async () => {
    await journaled.fetch(URL, refreshRequest());
    journaled.accept(5);
    journal.steps.length = 0;
    await journaled.refuse();
    assert.deepEqual(journal.steps, []);
  });

  it('P32 an answer that is no success is not kept', async () => {
    fetch = async () => new Response('{"error":"invalid_grant"}', { status: 400 });
    assert.equal((await journaled.fetch(URL, refreshRequest())).status, 400);
    assert.deepEqual(journal.steps, ['begin c 4 rt 16000', 'end']);
    assert.ok(!journaled.isRecorded);
  });

  it('P32 no answer at all is told, and nothing more is waited for', async () => {
    const lost = new Error('connection lost');
    fetch = async () => Promise.reject(lost);
    await assert.rejects(journaled.fetch(URL, refreshRequest()), lost);
    assert.deepEqual(journal.steps, ['begin c 4 rt 16000', 'end']);
  });

  it('P30 waits for another sender while it lives, and takes its answer', async () => {
    journal.finds = [underWay, underWay, answered];
    const response = journaled.fetch(URL, refreshRequest());
    for (let look = 1; look <= 2; look += 1) {
      await nextTurn();
      assert.equal(sent.length, 0);
      clock.advance(100);
    }
    assert.equal(await (await response).text(), 'from the journal');
  });

  it('P30 looks once more when another sender has just ended, then sends', async () => {
    journal.finds = [underWay, undefined, answered];
    const taken = journaled.fetch(URL, refreshRequest());
    for (let look = 1; look <= 2; look += 1) {
      await nextTurn();
      clock.advance(100);
    }
    assert.equal(await (await taken).text(), 'from the journal');
    journal.finds = [underWay, undefined, undefined];
    const sentAgain = journaled.fetch(URL, refreshRequest());
    for (let look = 1; look <= 2; look += 1) {
      await nextTurn();
      clock.advance(100);
    }
    await sentAgain;
    assert.equal(sent.length, 1);
  });

  it('P30 P32 sends once more what a sender that is gone had sent, and says so', async () => {
    journal.finds = [cutOff];
    await journaled.fetch(URL, refreshRequest());
    assert.equal(sent.length, 1);
    assert.match(log.lines.join(), /cut off; it is sent once more/);
  });

  it('P30 waits for nobody longer than a request may take, whatever the clock says', async () => {
    journal.finds = Array.from({ length: 1000 }, () => underWay);
    const response = journaled.fetch(URL, refreshRequest());
    for (let look = 1; look <= 150; look += 1) {
      await nextTurn();
      clock.jump(-60_000);
      clock.advance(100);
    }
    await response;
    assert.equal(sent.length, 1);
  });

  it('P31 sends nothing while the answer may be there and cannot be read', async () => {
    const locked = new ConnectionError('keychain_locked', {});
    journal.finds = [locked];
    await assert.rejects(journaled.fetch(URL, refreshRequest()), locked);
    assert.equal(sent.length, 0);
  });

  it('P30 P31 looks again when the journal cannot be read for a moment, and takes the answer', async () => {
    journal.finds = [unreadable, unreadable, answered];
    const response = journaled.fetch(URL, refreshRequest());
    await letPass(2);
    assert.equal(await (await response).text(), 'from the journal');
    assert.equal(sent.length, 0);
  });

  it('P31 sends all the same when the journal stays unreadable for two seconds, and tells it once in the log', async () => {
    journal.finds = Array.from({ length: 1000 }, () => unreadable);
    const response = journaled.fetch(URL, refreshRequest());
    await letPass(18);
    assert.equal(sent.length, 0);
    await letPass(1);
    await response;
    assert.equal(sent.length, 1);
    assert.equal(log.lines.filter((line) => line.includes('cannot be read')).length, 1);
  });

  it('P31 tells of an entry that is broken, looks on, and sends', async () => {
    const broken = new ConnectionError('journal_broken', { path: '/journal' });
    journal.finds = [broken, broken];
    await journaled.fetch(URL, refreshRequest());
    assert.equal(journaled.trouble, broken);
    assert.equal(sent.length, 1);
  });
});

describe('a fetch with a journal and a process that outlives this one', () => {
  for (const isRecorded of [true, false]) {
    it(`P31 leaves the sending to that process, and knows that its answer is${isRecorded ? '' : ' not'} on disk`, async () => {
      const response = new Response('{"access_token":"at"}');
      outlived = { response, isRecorded };
      assert.equal(await journaled.fetch(URL, refreshRequest()), response);
      assert.deepEqual(outlivedKeys, [{ connectionId: 'c', generation: 4, refreshToken: 'rt' }]);
      assert.equal(journaled.isRecorded, isRecorded);
      assert.deepEqual(sent, []);
      await journaled.refuse();
      assert.deepEqual(journal.steps, isRecorded ? ['end', 'set aside'] : ['end']);
    });
  }

  it('P31 sends itself what that process has not sent', async () => {
    await journaled.fetch(URL, refreshRequest());
    assert.equal(outlivedKeys.length, 1);
    assert.deepEqual(journal.steps, ['begin c 4 rt 16000', 'send', 'record', 'end']);
  });

  it('P31 sends itself what costs nothing when it is lost', async () => {
    canBeLost = true;
    await journaled.fetch(URL, refreshRequest());
    assert.deepEqual(outlivedKeys, []);
    assert.equal(sent.length, 1);
  });
});
