import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import { Demands } from '../../../src/gateway/demands.ts';
import type { Demand, TellDemand } from '../../../src/gateway/ports.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';

const STEP_UP_TIMEOUT_MS = 120_000;
const stepUpTimeoutMs = (): number => STEP_UP_TIMEOUT_MS;

/** A message that the person was shown, which is answered or not. */
interface Shown {
  readonly demand: Demand;
  readonly signal: AbortSignal;
  readonly answer: () => void;
}

const client = { kind: 'oauth', label: 'Claude Code' } as const;

/** A manager that is signed in, what the person is told, and clients that meet challenges. */
async function start(t: TestContext, faults: Partial<Faults> = {}) {
  const clock = new ManualClock();
  const { server, headless } = await startWithFaults(t, faults, { clock });
  const { id } = await headless.connect(server.mcpUrl);
  const shown: Shown[] = [];
  const tell: TellDemand = async (demand, signal) => {
    const answered = deferred<void>();
    shown.push({ demand, signal, answer: () => answered.resolve() });
    await answered.promise;
  };
  const { manager, log } = headless;
  const demands = new Demands({ tokens: manager, connections: manager, tell, stepUpTimeoutMs, clock, log });
  t.after(() => demands.dispose());
  /** A request of a client meets a challenge for these scopes. */
  const meet = async (scope: string, operation: string, connection = id) => {
    const token = await manager.accessToken(connection);
    const wwwAuthenticate = `Bearer error="insufficient_scope", scope="${scope}"`;
    const refused = { status: 403, wwwAuthenticate, operation, client, token } as const;
    const { type } = await demands.answerChallenge(connection, refused);
    await headless.settled();
    return type;
  };
  return { clock, demands, headless, id, manager, meet, server, shown, log };
}

describe('a demand that a client’s request meets', () => {
  it('P24 P25 is told once, with what is missing and what it is for, however often it is met', async (t) => {
    const { id, meet, shown } = await start(t, { challengeScope: 'files:read' });
    assert.equal(await meet('files:read files:write', 'tools/call write_file'), 'authorize');
    const demand = { connection: id, scopes: ['files:write'], operation: 'tools/call write_file', client };
    assert.deepEqual(
      shown.map((each) => each.demand),
      [demand],
    );
    shown[0]?.answer();
    assert.equal(await meet('files:read files:write', 'tools/call write_file'), 'stop');
    await meet('files:read files:write', 'tools/call another');
    assert.equal(shown.length, 1);
  });

  it('P24 P25 is waited for by all who meet it, until it is answered or too old', async (t) => {
    const { clock, headless, meet, shown } = await start(t, { challengeScope: 'files:read' });
    const meetWrite = async () => meet('files:write', 'tools/call write_file');
    assert.deepEqual(await Promise.all([meetWrite(), meetWrite(), meetWrite()]), Array(3).fill('authorize'));
    clock.advance(STEP_UP_TIMEOUT_MS - 1);
    assert.equal(await meetWrite(), 'authorize');
    clock.advance(1);
    assert.equal(await meetWrite(), 'stop');
    assert.equal(await meet('files:admin', 'tools/call delete_file'), 'authorize');
    assert.equal(await meet('files:admin', 'tools/call delete_file'), 'authorize');
    for (const { answer } of shown) answer();
    await headless.settled();
    assert.equal(await meet('files:admin', 'tools/call delete_file'), 'stop');
    assert.equal(shown.length, 2);
  });

  it('P24 is told again once something has changed', async (t) => {
    const { id, manager, meet, shown } = await start(t, { challengeScope: 'files:read' });
    await meet('files:write', 'tools/call write_file');
    shown[0]?.answer();
    await manager.authorize(id);
    assert.equal(shown[0]?.signal.aborted, true, 'nobody needs the answer to the first any more');
    await meet('files:admin', 'tools/call delete_file');
    assert.deepEqual(
      shown.map(({ demand }) => demand.scopes),
      [['files:write'], ['files:admin']],
    );
  });

  it('P24 for other scopes is told at its turn', async (t) => {
    const { headless, meet, shown } = await start(t, { challengeScope: 'files:read' });
    await meet('files:write', 'tools/call write_file');
    await meet('files:admin', 'tools/call delete_file');
    assert.equal(shown.length, 1, 'one at a time');
    assert.equal(shown[0]?.signal.aborted, true, 'the second is about the same connection');
    shown[0]?.answer();
    await headless.settled();
    assert.deepEqual(
      shown.map(({ demand }) => demand.scopes),
      [['files:write'], ['files:admin']],
    );
  });

  it('is kept back by a message that nobody answers for a while only', async (t) => {
    const { clock, headless, manager, meet, server, shown } = await start(t, { challengeScope: 'files:read' });
    const { id: other } = await headless.connect(server.mcpUrl);
    await meet('files:write', 'tools/call write_file');
    await meet('files:write', 'tools/call write_file', other);
    assert.equal(shown.length, 1);
    clock.advance(20_000);
    await headless.settled();
    assert.deepEqual(
      shown.map(({ demand }) => demand.connection),
      [manager.connections[0]?.id, other],
    );
  });

  it('is not told when it is met by the time that its turn comes', async (t) => {
    const { headless, manager, meet, server, shown } = await start(t, { challengeScope: 'files:read' });
    const { id: other } = await headless.connect(server.mcpUrl);
    await meet('files:write', 'tools/call write_file');
    await meet('files:write', 'tools/call write_file', other);
    await manager.authorize(other);
    shown[0]?.answer();
    await headless.settled();
    assert.equal(shown.length, 1);
  });

  it('P32 for a sign-in is told without scopes, and one that the person signed out of is not', async (t) => {
    const { demands, headless, id, manager, server, shown } = await start(t);
    server.faults.invalidGrant = true;
    await assert.rejects(manager.refresh(id));
    assert.equal(shown.length, 0, 'no client needs it yet');
    const request = { method: 'GET', url: server.mcpUrl };
    await assert.rejects(demands.authorizeRequest(id, request), { code: 'sign_in_required' });
    await assert.rejects(demands.authorizeRequest(id, request), { code: 'sign_in_required' });
    await headless.settled();
    assert.deepEqual(
      shown.map(({ demand }) => demand),
      [{ connection: id, scopes: [] }],
    );
    shown[0]?.answer();
    await manager.disconnect(id);
    await assert.rejects(demands.authorizeRequest(id, request), { code: 'sign_in_required' });
    await headless.settled();
    assert.equal(shown.length, 1);
  });

  it('holds no more of what a client says than a message has room for', async (t) => {
    const { meet, shown } = await start(t, { challengeScope: 'files:read' });
    await meet('files:write', `tools/call \u{202e}${'x'.repeat(500)}`);
    const operation = shown[0]?.demand.operation ?? '';
    assert.ok(operation.length <= 81 && !operation.includes('\u{202e}'), operation);
  });

  it('that cannot be told is logged, and keeps no later one back', async (t) => {
    const { headless, id, manager, meet, log } = await start(t, { challengeScope: 'files:read' });
    const told: string[] = [];
    const failing = new Demands({
      tokens: manager,
      connections: manager,
      tell: async ({ scopes }) => {
        told.push(...scopes);
        throw new Error('no window');
      },
      stepUpTimeoutMs,
      clock: new ManualClock(),
      log,
    });
    t.after(() => failing.dispose());
    for (const scope of ['files:write', 'files:admin']) {
      const token = await manager.accessToken(id);
      const wwwAuthenticate = `Bearer error="insufficient_scope", scope="${scope}"`;
      await failing.answerChallenge(id, { status: 403, wwwAuthenticate, operation: scope, token });
    }
    await headless.settled();
    assert.deepEqual(told, ['files:write', 'files:admin']);
    assert.match(log.lines.join('\n'), /could not be told of a demand/);
    assert.equal(await meet('files:write', 'files:write'), 'stop');
  });
});
