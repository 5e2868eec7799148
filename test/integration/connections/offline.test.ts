import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Connection, currentGrant } from '../../../src/connections/connection.ts';
import { isOAuthError, type NetworkFailure, OAuthError } from '../../../src/oauth/errors.ts';
import type { Fetch } from '../../../src/oauth/fetchPort.ts';
import { type Headless, startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { type FaultyServer, startFaultyServer } from '../../servers/faultyServer.ts';
import { refreshForms, restart } from './refreshing.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The cable of the machine. */
class Network {
  /** Undefined while all is well; of one server alone with `only`. */
  failure: NetworkFailure | undefined;
  only: string | undefined;
  /** Requests to token endpoints that were tried, also in vain. */
  tries = 0;
  underWay = 0;
  mostUnderWay = 0;

  readonly wrap = (fetch: Fetch): Fetch => {
    return async (url, request) => {
      if (request.method === 'POST') this.tries += 1;
      this.underWay += 1;
      this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
      try {
        const { failure, only } = this;
        if (failure !== undefined && (only === undefined || url.startsWith(only))) {
          throw new OAuthError('server_unreachable', { url, failure });
        }
        return await fetch(url, request);
      } finally {
        this.underWay -= 1;
      }
    };
  };
}

interface Stand {
  readonly server: FaultyServer;
  readonly headless: Headless;
  readonly clock: ManualClock;
  readonly network: Network;
  /** How often a browser was opened. */
  readonly opened: readonly string[];
}

async function start(t: TestContext): Promise<Stand> {
  const clock = new ManualClock();
  const network = new Network();
  const opened: string[] = [];
  const { server, headless } = await startWithFaults(
    t,
    { expiresIn: 3600 },
    {
      clock,
      wrapFetch: network.wrap,
      wrapBrowser: (browser) => async (url) => {
        opened.push(url);
        return browser(url);
      },
    },
  );
  return { server, headless, clock, network, opened };
}

const isReady = ({ state }: Connection): boolean => state.type === 'ready';
const isAway = ({ state }: Connection): boolean => state.type === 'unreachable';

const isNotRenewing = ({ state }: Connection): boolean => state.type !== 'refreshing';

/** Lets time go by in steps, as it does, and all that comes of it. */
async function pass({ clock, headless }: Stand, ms: number, stepMs = 5000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await headless.settled();
    for (const { id } of headless.manager.connections) await headless.until(id, isNotRenewing);
  }
}

function retryIn({ headless, clock }: Stand, id: string): number {
  const state = headless.manager.get(id)?.state;
  return state?.type === 'unreachable' ? state.retryAt - clock.now() : Number.NaN;
}

const noBrowser = async (): Promise<never> => assert.fail('nobody asked for it');

describe('without a network', () => {
  it('P32 a connection whose token ends stays, waits, and is back by itself; no browser is opened', async (t) => {
    const stand = await start(t);
    const { headless, network, opened, server } = stand;
    const { id } = await headless.connect(server.mcpUrl);
    network.failure = 'dns';
    await pass(stand, 5 * HOUR_MS, MINUTE_MS);
    const away = headless.manager.get(id);
    assert.ok(away?.state.type === 'unreachable' && currentGrant(away) !== undefined);
    assert.ok(network.tries > 15 && network.tries < 60, `${network.tries} tries`);
    await assert.rejects(headless.manager.accessToken(id), { code: 'server_unreachable' });
    assert.equal(headless.manager.activity(id).filter(({ type }) => type === 'refresh_failed').length, 1);
    network.failure = undefined;
    await pass(stand, 16 * MINUTE_MS);
    await headless.until(id, isReady);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
    assert.equal(opened.length, 1, 'only for the sign-in that the person asked for');
    assert.equal(refreshForms(server).length, 1);
  });

  it('P32 a window that starts then keeps it as well', async (t) => {
    const stand = await start(t);
    const { clock, headless, network, server } = stand;
    const { id } = await headless.connect(server.mcpUrl);
    clock.jump(24 * HOUR_MS);
    network.failure = 'dns';
    const next = await restart(t, headless, { clock, browser: noBrowser, wrapFetch: network.wrap });
    await next.until(id, isAway);
    network.failure = undefined;
    await pass({ ...stand, headless: next }, 10_000);
    await next.until(id, isReady);
  });

  it('P24 P32 what servers demand and say meanwhile opens no browser either', async (t) => {
    const { headless, opened, server } = await start(t);
    const { id } = await headless.connect(server.mcpUrl);
    for (const faults of [{ tokenStatus: 503 }, { tokenStatus: 429, retryAfter: '7' }, { tokenHtml: true }]) {
      Object.assign(server.faults, { tokenStatus: 200, tokenHtml: false }, faults);
      await assert.rejects(headless.manager.refresh(id));
      assert.equal(headless.manager.get(id)?.state.type, 'unreachable');
    }
    const token = await headless.manager.accessToken(id);
    const challenge = { status: 401, wwwAuthenticate: 'Bearer scope="more"', operation: 'POST', token } as const;
    const outcome = await headless.manager.answerChallenge(id, challenge).catch(() => undefined);
    assert.notEqual(outcome?.type, 'pass');
    assert.equal(opened.length, 1);
  });
});

describe('when the network is back', () => {
  it('P32 one success brings all others back soon, a few at once, and each once', async (t) => {
    const stand = await start(t);
    const { headless, network, server } = stand;
    const other = await startFaultyServer({ expiresIn: 3600 });
    t.after(async () => other.close());
    const { id } = await headless.connect(server.mcpUrl);
    const others: Connection[] = [];
    for (let count = 0; count < 12; count++) others.push(await headless.connect(server.mcpUrl));
    network.failure = 'timeout';
    await pass(stand, 4 * HOUR_MS, MINUTE_MS);
    assert.ok(headless.manager.connections.every(isAway));
    network.failure = undefined;
    network.tries = 0;
    network.mostUnderWay = 0;
    await headless.manager.refresh(id);
    await pass(stand, 10_000, 1000);
    await Promise.all(others.map(async (each) => headless.until(each.id, isReady)));
    assert.equal(network.tries, 13);
    assert.ok(network.mostUnderWay <= 4, `${network.mostUnderWay} at once`);
  });

  it('P32 it says nothing of a server that is down itself, unless that server has answered', async (t) => {
    const stand = await start(t);
    const { headless, network, server } = stand;
    server.faults.issuers = 'second';
    const second = await headless.connect(server.mcpUrl);
    server.faults.issuers = 'first';
    const first = await headless.connect(server.mcpUrl);
    const sibling = await headless.connect(server.mcpUrl);
    network.failure = 'refused';
    await pass(stand, 3 * HOUR_MS, MINUTE_MS);
    network.failure = undefined;
    const before = [first, second].map(({ id }) => retryIn(stand, id));
    await headless.manager.refresh(sibling.id);
    assert.ok(retryIn(stand, first.id) <= 3000);
    assert.equal(retryIn(stand, second.id), before[1]);
  });

  it('P32 a server that said when to come back is not asked before', async (t) => {
    const stand = await start(t);
    const { clock, headless, server } = stand;
    const { id } = await headless.connect(server.mcpUrl);
    const other = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, { tokenStatus: 429, retryAfter: '1200' });
    await assert.rejects(headless.manager.refresh(id));
    server.faults.tokenStatus = 200;
    clock.advance(40_000);
    await headless.manager.refresh(other.id);
    headless.manager.noteFocus();
    assert.equal(retryIn(stand, id), 1_160_000);
    clock.jump(10 * MINUTE_MS);
    clock.advance(5000);
    assert.equal(retryIn(stand, id), 555_000);
    // Nor for the person: it is the server's word, and its own limit would refuse it again.
    const before = server.requestsTo('token').length;
    await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'token_request_failed'));
    assert.equal(server.requestsTo('token').length, before);
    clock.jump(555_000);
    await headless.manager.refresh(id);
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
  });

  it('P34 waking up is noticed within seconds, and the first tries after it are quick again', async (t) => {
    const stand = await start(t);
    const { clock, headless, network, server } = stand;
    const { id } = await headless.connect(server.mcpUrl);
    network.failure = 'dns';
    await pass(stand, 4 * HOUR_MS, MINUTE_MS);
    assert.ok(retryIn(stand, id) > 0);
    await assert.rejects(headless.manager.refresh(id));
    assert.ok(retryIn(stand, id) > 5 * MINUTE_MS);
    clock.jump(MINUTE_MS);
    await pass(stand, 10_000, 1000);
    assert.ok(retryIn(stand, id) <= 10_000, 'tried, in vain, and again before long');
    network.failure = undefined;
    await pass(stand, 10_000, 1000);
    await headless.until(id, isReady);
  });

  it('P32 at the window’s focus what was to wait for long is tried, and not at each focus', async (t) => {
    const stand = await start(t);
    const { headless, network, server } = stand;
    const { id } = await headless.connect(server.mcpUrl);
    network.failure = 'dns';
    await pass(stand, 4 * HOUR_MS, MINUTE_MS);
    await assert.rejects(headless.manager.refresh(id));
    network.tries = 0;
    for (let count = 0; count < 60; count++) {
      headless.manager.noteFocus();
      await pass(stand, 1000, 1000);
    }
    assert.ok(network.tries >= 1 && network.tries <= 2, `${network.tries} tries in a minute`);
    network.failure = undefined;
    await pass(stand, 31_000, 1000);
    headless.manager.noteFocus();
    await pass(stand, 5000, 1000);
    await headless.until(id, isReady);
  });
});
