import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import { diagnose, type Diagnosis } from '../../../src/connections/diagnosis/diagnose.ts';
import type { Judged, Verdict } from '../../../src/connections/diagnosis/finding.ts';
import { reportOf } from '../../../src/vscode/diagnosis/report.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createGuardedFetch } from '../../../src/platform/guardedFetch.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import type { Faults } from '../../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../../servers/faultyServer.ts';

async function run(
  t: TestContext,
  serverUrl: string,
  more: Partial<Parameters<typeof diagnose>[1]> = {},
): Promise<Diagnosis> {
  const guarded = createGuardedFetch({ version: '0.0.0' });
  t.after(() => guarded.dispose());
  const { fetch, resolveReach } = guarded;
  const signal = new AbortController().signal;
  return diagnose(
    { fetch, resolveReach, clock: systemClock, clientMetadataUrl: () => undefined },
    { serverUrl, signal, ...more },
  );
}

/** Signs in, or tries to, and diagnoses then. */
async function runAfterSignIn(t: TestContext, faults: Partial<Faults>, settings: Connection['settings'] = {}) {
  const { server, headless } = await startWithFaults(t, faults);
  const { manager } = headless;
  const { id } = await manager.add(server.mcpUrl);
  await manager.configure(id, settings);
  await manager.authorize(id).catch(() => undefined);
  const connection = manager.get(id);
  return { server, diagnosis: await run(t, server.mcpUrl, { connection, lastSignIn: await manager.trace(id) }) };
}

/** What was seen of a rule: its verdict, and the error's code or the kind of what was seen. */
function seen({ findings }: Diagnosis, judged: Judged): readonly [Verdict, string] | undefined {
  const one = findings.find((finding) => finding.judged === judged);
  if (one === undefined) return undefined;
  return [one.verdict, one.seen.type === 'error' ? one.seen.error.code : one.seen.type];
}

function rulesWith({ findings }: Diagnosis, verdict: Verdict): readonly Judged[] {
  return findings.filter((one) => one.verdict === verdict).map(({ judged }) => judged);
}

interface Case {
  readonly faults: Partial<Faults>;
  readonly judged: Judged;
  readonly verdict: Verdict;
  readonly seen: string;
  /** The rule that is the cause; by default the one that is broken. */
  readonly cause?: Judged | 'none';
}

const REMOTE = 'http://remote.example/metadata';

const CASES: readonly Case[] = [
  {
    faults: { unprotected: true, noResourceMetadata: true },
    judged: 'reach',
    verdict: 'broken',
    seen: 'authorization_not_required',
  },
  { faults: { html: true, noResourceMetadata: true }, judged: 'reach', verdict: 'broken', seen: 'not_an_mcp_server' },
  {
    faults: { notFound: true, noResourceMetadata: true },
    judged: 'reach',
    verdict: 'broken',
    seen: 'not_an_mcp_server',
  },
  { faults: { hugeBody: 'resourceMetadata' }, judged: 'P1', verdict: 'broken', seen: 'response_too_large' },
  {
    faults: { noResourceMetadata: true },
    judged: 'P1',
    verdict: 'worked_around',
    seen: 'no_resource_metadata',
    cause: 'none',
  },
  {
    faults: { resourceMetadataAt: 'root', challengeResourceMetadata: false },
    judged: 'P1',
    verdict: 'passed',
    seen: 'resource_metadata',
    cause: 'none',
  },
  {
    faults: { resourceMetadataAt: 'elsewhere' },
    judged: 'P2',
    verdict: 'passed',
    seen: 'challenge_names_metadata',
    cause: 'none',
  },
  {
    faults: { challengeResourceMetadata: false },
    judged: 'P2',
    verdict: 'worked_around',
    seen: 'challenge_omits_metadata',
    cause: 'none',
  },
  { faults: { prmResource: 'https://other.example/mcp' }, judged: 'P3', verdict: 'broken', seen: 'resource_mismatch' },
  { faults: { noMetadata: true }, judged: 'P4', verdict: 'broken', seen: 'authorization_server_not_found' },
  { faults: { metadataStatus: 500 }, judged: 'P4', verdict: 'broken', seen: 'authorization_server_not_found' },
  { faults: { metadataHtml: true }, judged: 'P4', verdict: 'broken', seen: 'authorization_server_not_found' },
  { faults: { hugeBody: 'metadata' }, judged: 'P4', verdict: 'broken', seen: 'response_too_large' },
  {
    faults: { noMetadata: true, noResourceMetadata: true },
    judged: 'P4',
    verdict: 'worked_around',
    seen: 'default_endpoints',
    cause: 'none',
  },
  {
    faults: { issuerPath: '/tenant', metadataAt: 'oidc-appended' },
    judged: 'P4',
    verdict: 'passed',
    seen: 'server_metadata',
    cause: 'none',
  },
  { faults: { metadataIssuer: 'https://other.example' }, judged: 'P5', verdict: 'broken', seen: 'issuer_mismatch' },
  { faults: { prmIssuers: [] }, judged: 'P6', verdict: 'broken', seen: 'authorization_server_not_found' },
  { faults: { prmIssuers: ['no issuer'] }, judged: 'P6', verdict: 'broken', seen: 'authorization_server_not_found' },
  {
    faults: { issuers: 'both', firstIssuerDown: true },
    judged: 'P6',
    verdict: 'worked_around',
    seen: 'issuer_skipped',
    cause: 'none',
  },
  { faults: { rawChallenge: [] }, judged: 'P7', verdict: 'worked_around', seen: 'no_challenge', cause: 'none' },
  {
    faults: { rawChallenge: ['Basic realm="x"'] },
    judged: 'P7',
    verdict: 'worked_around',
    seen: 'challenge_unreadable',
    cause: 'none',
  },
  {
    faults: { rawChallenge: ['Negotiate', 'Bearer realm="a, b"'] },
    judged: 'P7',
    verdict: 'passed',
    seen: 'challenge',
    cause: 'none',
  },
  { faults: { noRegistration: true }, judged: 'P8', verdict: 'broken', seen: 'registration_unsupported' },
  { faults: { grantTypes: ['client_credentials'] }, judged: 'P10', verdict: 'broken', seen: 'grant_unsupported' },
  { faults: { authMethods: ['tls_client_auth'] }, judged: 'P10', verdict: 'broken', seen: 'unknown_auth_methods' },
  { faults: { noPkce: true }, judged: 'P13', verdict: 'broken', seen: 'pkce_unsupported' },
  { faults: { challengeScope: 'files:read' }, judged: 'P15', verdict: 'passed', seen: 'scopes', cause: 'none' },
  { faults: { scopesSupported: undefined }, judged: 'P15', verdict: 'passed', seen: 'scopes', cause: 'none' },
  {
    faults: { advertiseIss: false },
    judged: 'P17',
    verdict: 'not_testable',
    seen: 'iss_not_advertised',
    cause: 'none',
  },
  { faults: { redirectResourceMetadataTo: REMOTE }, judged: 'P20', verdict: 'broken', seen: 'redirect_refused' },
  { faults: { redirectMetadataTo: REMOTE }, judged: 'P20', verdict: 'broken', seen: 'redirect_refused' },
  { faults: { prmIssuers: ['http://remote.example'] }, judged: 'P20', verdict: 'broken', seen: 'insecure_url' },
];

const SENTENCES: readonly (readonly [Partial<Faults>, RegExp])[] = [
  [{ unprotected: true, noResourceMetadata: true }, /lets everyone in without signing in/],
  [{ html: true, noResourceMetadata: true }, /is a web page and not an MCP server/],
  [{ prmResource: 'https://other.example/mcp' }, /says that it is other\.example\/mcp, but you connected to/],
  [{ noMetadata: true }, /no description of that authorization server was found/],
  [{ metadataIssuer: 'https://other.example' }, /calls itself “https:\/\/other\.example”/],
  [{ prmIssuers: [] }, /does not say where\. This is a fault of the server/],
  [{ noRegistration: true }, /does not let apps register by themselves/],
  [{ grantTypes: ['client_credentials'] }, /does not let people sign in this way/],
  [{ authMethods: ['tls_client_auth'] }, /only by ways that Scopekeeper does not have: tls_client_auth/],
  [{ noPkce: true }, /does not say that it protects sign-ins/],
  [{ redirectMetadataTo: REMOTE }, /not safe to follow/],
  [{ prmIssuers: ['http://remote.example'] }, /no encrypted \(https\) address\. This is a fault of the server/],
  [{ registrationStatus: 400 }, /^The last sign-in showed: .*refused to register Scopekeeper/],
  [{ rejectLoopback: true }, /^The last sign-in showed: .*does not let sign-ins come back to a port/],
  [{ rejectResource: true }, /^The last sign-in showed: .*does not accept the address of the server/],
  [{ rejectScopes: ['files:write'] }, /^The last sign-in showed: .*refused the scopes/],
  [{ callbackIss: 'wrong' }, /^The last sign-in showed: The answer in the browser did not come from/],
  [{ tokenStatus: 503 }, /^The last sign-in showed: .*is failing \(status 503\)/],
];

describe('a diagnosis', () => {
  for (const [faults, says] of SENTENCES) {
    it(`names the cause in a sentence: ${JSON.stringify(faults)}`, async (t) => {
      const { diagnosis } = await runAfterSignIn(t, faults);
      const { headline, verdict } = reportOf(diagnosis, undefined);
      assert.equal(verdict, 'broken');
      assert.match(headline, says);
    });
  }

  it('finds nothing broken at a server that does right, and signs in and registers nowhere', async (t) => {
    const server = await startFaultyServer();
    t.after(async () => server.close());
    const diagnosis = await run(t, server.mcpUrl);
    assert.equal(diagnosis.cause, undefined);
    assert.deepEqual(rulesWith(diagnosis, 'broken'), []);
    assert.deepEqual(rulesWith(diagnosis, 'worked_around'), []);
    assert.deepEqual(rulesWith(diagnosis, 'not_testable'), ['P9', 'P11', 'P12', 'P14', 'P16']);
    assert.equal(diagnosis.findings.length, 21);
    assert.deepEqual(
      server.requests.map(({ endpoint }) => endpoint),
      ['mcp', 'resourceMetadata', 'metadata'],
    );
    assert.deepEqual(
      diagnosis.requests.steps.map(({ purpose, status }) => [purpose, status]),
      [
        ['probe', 401],
        ['resource_metadata', 200],
        ['server_metadata', 200],
      ],
    );
  });

  it('finds that all rules held at the last sign-in', async (t) => {
    const { diagnosis } = await runAfterSignIn(t, {});
    assert.deepEqual(
      rulesWith(diagnosis, 'passed'),
      diagnosis.findings.map(({ judged }) => judged),
    );
    assert.equal(diagnosis.findings.length, 22);
    assert.equal(diagnosis.cause, undefined);
  });

  for (const { faults, judged, verdict, seen: expected, cause = judged } of CASES) {
    it(`${judged === 'reach' ? '' : judged} says ${verdict}: ${JSON.stringify(faults)}`, async (t) => {
      const server = await startFaultyServer(faults);
      t.after(async () => server.close());
      const diagnosis = await run(t, server.mcpUrl);
      assert.deepEqual(seen(diagnosis, judged), [verdict, expected]);
      assert.equal(diagnosis.cause?.judged ?? 'none', cause);
      assert.deepEqual(server.requestsTo('registration').length + server.requestsTo('token').length, 0);
    });
  }

  const signIns: readonly (readonly [Partial<Faults>, Judged, string])[] = [
    [{ registrationStatus: 400 }, 'P10', 'registration_refused'],
    [{ rejectLoopback: true }, 'P12', 'registration_refused'],
    [{ invalidClient: true }, 'P12', 'client_rejected'],
    [{ rejectResource: true }, 'P14', 'resource_rejected'],
    [{ rejectScopes: ['files:write'] }, 'P15', 'authorization_failed'],
    [{ callbackIss: 'wrong' }, 'P17', 'callback_issuer_mismatch'],
    [{ callbackIss: 'absent' }, 'P17', 'callback_issuer_mismatch'],
    [{ denyAuthorization: true }, 'sign_in', 'authorization_denied'],
    [{ tokenStatus: 503 }, 'sign_in', 'token_request_failed'],
    [{ tokenHtml: true }, 'sign_in', 'token_response_invalid'],
    [{ invalidGrant: true }, 'sign_in', 'grant_rejected'],
  ];
  for (const [faults, judged, code] of signIns) {
    it(`${judged === 'sign_in' ? '' : judged} takes the last sign-in into account: ${JSON.stringify(faults)}`, async (t) => {
      const { diagnosis } = await runAfterSignIn(t, faults);
      assert.deepEqual(seen(diagnosis, judged), ['broken', code]);
      assert.equal(diagnosis.cause?.judged, judged);
    });
  }

  it('tells all faults, the one that is the cause first', async (t) => {
    const server = await startFaultyServer({
      challengeResourceMetadata: false,
      metadataIssuer: 'https://other.example',
      noPkce: true,
      noRegistration: true,
    });
    t.after(async () => server.close());
    const diagnosis = await run(t, server.mcpUrl);
    assert.deepEqual(rulesWith(diagnosis, 'broken'), ['P5', 'P8', 'P13']);
    assert.deepEqual(rulesWith(diagnosis, 'worked_around'), ['P2']);
    assert.equal(diagnosis.cause?.judged, 'P5');
  });

  it('counts what the person has set', async (t) => {
    const faults: Partial<Faults> = { noPkce: true, rejectResource: true };
    const { diagnosis } = await runAfterSignIn(t, faults, { allowUnadvertisedPkce: true, omitResource: true });
    assert.equal(diagnosis.cause, undefined);
    assert.deepEqual(seen(diagnosis, 'P13'), ['worked_around', 'pkce_allowed']);
    assert.deepEqual(seen(diagnosis, 'P14'), ['worked_around', 'resource_left_out']);
  });

  it('P11 sees that the server has moved to another authorization server', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    const moved = async (): Promise<Diagnosis> => {
      const connection = headless.manager.get(id);
      return run(t, server.mcpUrl, { connection, lastSignIn: await headless.manager.trace(id) });
    };
    assert.deepEqual(seen(await moved(), 'P11'), ['passed', 'issuer_kept']);
    server.faults.issuers = 'second';
    assert.deepEqual(seen(await moved(), 'P11'), ['worked_around', 'issuer_moved']);
    await headless.manager.configure(id, { client: { issuer: server.issuer, clientId: 'mine' } });
    const diagnosis = await moved();
    assert.deepEqual(seen(diagnosis, 'P11'), ['broken', 'client_issuer_mismatch']);
    assert.equal(diagnosis.cause?.judged, 'P11');
  });

  it('asks the authorization server that is known when the server is away', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const connection = await headless.connect(server.mcpUrl);
    const away = await startFaultyServer();
    await away.close();
    const diagnosis = await run(t, away.mcpUrl, { connection: { ...connection, serverUrl: away.mcpUrl } });
    assert.deepEqual(seen(diagnosis, 'reach'), ['broken', 'server_unreachable']);
    assert.deepEqual(seen(diagnosis, 'P4'), ['passed', 'server_metadata']);
    assert.equal(diagnosis.cause?.judged, 'reach');
  });

  it('ends when it is cancelled', async (t) => {
    const server: FaultyServer = await startFaultyServer({ delayMs: { metadata: 60_000 } });
    t.after(async () => server.close());
    const cancelling = new AbortController();
    const running = run(t, server.mcpUrl, {
      signal: cancelling.signal,
      onStep: (step) => {
        if (step === 'authorization_server') cancelling.abort();
      },
    });
    await assert.rejects(running, { name: 'AbortError' });
  });

  it('P36 tells no secret of the last sign-in, and none of a URL', async (t) => {
    const { server, diagnosis } = await runAfterSignIn(t, { tokenStatus: 503 });
    const text = JSON.stringify(diagnosis);
    for (const { form = {} } of server.requestsTo('token')) {
      for (const name of ['code', 'code_verifier']) assert.ok(!text.includes(form[name] ?? 'no such parameter'));
    }
    const withQuery = await run(t, `${server.mcpUrl}?key=a-secret-of-the-url`);
    assert.ok(!JSON.stringify([withQuery.findings, withQuery.requests]).includes('a-secret-of-the-url'));
  });
});
