import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AuthorizationTrace, TraceStep } from '../../../src/connections/trace.ts';
import { entryFor, startForKinds } from '../../headless/connectionOfKind.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import type { Faults } from '../../servers/faults.ts';

const FOUND = ['probe', 'resource_metadata', 'server_metadata'] as const;

async function traceOf(t: TestContext, faults: Partial<Faults>): Promise<AuthorizationTrace> {
  const { server, headless } = await startWithFaults(t, faults);
  const { manager } = headless;
  const { id } = await manager.add(server.mcpUrl);
  await manager.authorize(id).catch(() => undefined);
  return (await manager.trace(id)) ?? assert.fail('no trace');
}

function purposes({ steps }: AuthorizationTrace): readonly string[] {
  return steps.map(({ purpose }) => purpose);
}

function fieldsOf(fields: TraceStep['sent'] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value]));
}

describe('the trace of a sign-in', () => {
  it('has each step in its order, with what was asked and answered, and no secret', async (t) => {
    const trace = await traceOf(t, { clientSecret: { expiresAt: 0 } });
    assert.equal(trace.outcome, 'authorized');
    assert.ok((trace.endedAt ?? 0) >= trace.startedAt);
    assert.deepEqual(purposes(trace), [...FOUND, 'registration', 'authorization', 'callback', 'token']);
    const [probe, , metadata, registration, authorization, callback, token] = trace.steps;
    for (const step of trace.steps) {
      assert.ok((step.durationMs ?? -1) >= 0);
      assert.ok(!step.url.includes('?'));
    }
    assert.deepEqual([probe?.method, probe?.status], ['POST', 401]);
    assert.match(fieldsOf(probe?.received)['www-authenticate'] ?? '', /^Bearer .*resource_metadata/);
    assert.equal(fieldsOf(metadata?.received)['code_challenge_methods_supported'], 'S256');
    assert.equal(registration?.status, 201);
    assert.match(fieldsOf(registration?.sent)['redirect_uris'] ?? '', /^http:\/\/127\.0\.0\.1:/);
    assert.match(fieldsOf(registration?.received)['client_secret'] ?? '', /^\[\d+ characters\]$/);
    const asked = fieldsOf(authorization?.sent);
    assert.equal(asked['scope'], 'files:read files:write');
    assert.equal(asked['code_challenge_method'], 'S256');
    assert.match(asked['resource'] ?? '', /\/mcp$/);
    assert.equal(asked['state'], '[43 characters]');
    const came = fieldsOf(callback?.received);
    assert.match(came['code'] ?? '', /^\[\d+ characters\]$/);
    assert.equal(came['iss'], new URL(authorization?.url ?? '').origin);
    const sent = fieldsOf(token?.sent);
    assert.equal(sent['grant_type'], 'authorization_code');
    assert.equal(sent['code_verifier'], '[43 characters]');
    const got = fieldsOf(token?.received);
    assert.match(got['access_token'] ?? '', /^\[\d+ characters\]$/);
    assert.equal(got['scope'], 'files:read files:write');
    assert.equal(got['expires_in'], '3600');
  });

  const broken: readonly (readonly [Partial<Faults>, string, string | undefined, string | undefined])[] = [
    [{ notFound: true, noResourceMetadata: true }, 'probe', 'not_an_mcp_server', undefined],
    [{ prmResource: 'https://other.example/mcp' }, 'resource_metadata', 'resource_mismatch', 'P3'],
    [{ noMetadata: true }, 'server_metadata', 'authorization_server_not_found', 'P4'],
    [{ metadataIssuer: 'https://other.example' }, 'server_metadata', 'issuer_mismatch', 'P5'],
    [{ noPkce: true }, 'server_metadata', 'pkce_unsupported', 'P13'],
    [{ noRegistration: true }, 'server_metadata', 'registration_unsupported', 'P8'],
    [{ registrationStatus: 400 }, 'registration', 'registration_refused', 'P10'],
    [{ rejectLoopback: true }, 'registration', 'registration_refused', 'P12'],
    [{ callbackIss: 'wrong' }, 'callback', 'callback_issuer_mismatch', 'P17'],
    [{ rejectResource: true }, 'callback', 'resource_rejected', 'P14'],
    [{ rejectScopes: ['files:write'] }, 'callback', 'authorization_failed', 'P15'],
    [{ denyAuthorization: true }, 'callback', 'authorization_denied', undefined],
    [{ tokenStatus: 503 }, 'token', 'token_request_failed', undefined],
    [{ tokenHtml: true }, 'token', 'token_response_invalid', 'P33'],
    [{ hugeBody: 'metadata' }, 'server_metadata', 'response_too_large', undefined],
  ];
  for (const [faults, purpose, errorCode, rule] of broken) {
    it(`${rule ?? ''} tells at which step it ended, and why: ${JSON.stringify(faults)}`, async (t) => {
      const trace = await traceOf(t, faults);
      assert.equal(trace.outcome, 'failed');
      assert.equal(trace.error?.code, errorCode);
      const blamed = trace.steps.filter((step) => step.errorCode !== undefined);
      const seen = blamed.map((step) => [step.purpose, step.errorCode, step.rule]);
      assert.deepEqual(seen.at(-1), [purpose, errorCode, rule]);
      // Not the next place, at which there was nothing.
      if (errorCode === 'issuer_mismatch') assert.equal(blamed.at(-1)?.status, 200);
    });
  }

  it('is there while it runs, and when it was cancelled', async (t) => {
    const { server, headless } = await startWithFaults(t, {}, { wrapBrowser: () => async () => undefined });
    const { manager } = headless;
    const { id } = await manager.add(server.mcpUrl);
    assert.equal(await manager.trace(id), undefined);
    const outcome = manager.authorize(id);
    await headless.until(id, ({ state }) => state.type === 'authorizing' && state.step === 'waitingForBrowser');
    const running = (await manager.trace(id)) ?? assert.fail('no trace');
    assert.deepEqual([running.outcome, running.endedAt], ['running', undefined]);
    assert.deepEqual(purposes(running).slice(0, 4), [...FOUND, 'registration']);
    await manager.cancelAuthorization(id);
    await outcome;
    const trace = (await manager.trace(id)) ?? assert.fail('no trace');
    assert.deepEqual([trace.outcome, trace.error], ['cancelled', undefined]);
    assert.deepEqual(purposes(trace), [...FOUND, 'registration', 'authorization']);
    await manager.remove(id);
    assert.equal(await manager.trace(id), undefined);
  });

  it('has the steps of each way to sign in', async (t) => {
    const { server, manager } = await startForKinds(t);
    const ways = [
      ['device_code', [...FOUND, 'registration', 'device_authorization', 'authorization', 'token', 'token']],
      ['client_credentials', [...FOUND, 'token']],
      ['workload_identity', [...FOUND, 'token']],
      ['enterprise_managed', [...FOUND, 'server_metadata', 'server_metadata', 'token', 'token']],
      ['static_token', ['probe']],
    ] as const;
    for (const [kind, expected] of ways) {
      const { id } = await manager.add(server.mcpUrl, undefined, kind);
      const { settings, entered } = await entryFor(server, kind);
      await manager.configure(id, settings, entered);
      await manager.authorize(id);
      assert.deepEqual(purposes((await manager.trace(id)) ?? assert.fail('no trace')), expected, kind);
    }
  });
});
