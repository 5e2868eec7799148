import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ConnectionId, ConnectionKind } from '../../../src/connections/connection.ts';
import type { ConnectionManager } from '../../../src/connections/connectionManager.ts';
import { detailsModel } from '../../../src/vscode/details/detailsModel.ts';
import { diagnostics } from '../../../src/vscode/details/diagnostics.ts';
import { tooltipLines } from '../../../src/vscode/connectionTooltip.ts';
import { errorText } from '../../../src/vscode/errorText.ts';
import { connectionText, scopesText, signInText } from '../../../src/vscode/treeText.ts';
import { Canaries } from '../../headless/canaries.ts';
import { entryFor, startForKinds } from '../../headless/connectionOfKind.ts';
import type { HeadlessOptions } from '../../headless/headlessManager.ts';
import { callTool } from '../../headless/mcpCall.ts';
import type { Faults } from '../../servers/faults.ts';
import type { DpopSwitch } from '../../servers/grantSwitches.ts';

const DPOP: DpopSwitch = { algs: ['ES256'], required: false, nonce: 'both', challengeScheme: 'both' };

/** What goes wrong at the server, and is undone again. */
const FAULTS: readonly Partial<Faults>[] = [
  { tokenStatus: 503 },
  { tokenHtml: true },
  { dropTokenAnswer: true },
  { invalidClient: true },
  { invalidGrant: true },
  { rejectTokens: true },
  { html: true },
];

interface Case {
  readonly kind: ConnectionKind;
  readonly title: string;
  readonly faults?: Partial<Faults>;
  readonly proof?: 'secret' | 'key';
  /** Signs in at the identity provider, and has no ID token from elsewhere. */
  readonly hasNoIdToken?: boolean;
  /** What must have been among the secrets that were looked for. */
  readonly secrets: readonly string[];
}

const CASES: readonly Case[] = [
  {
    kind: 'authorization_code',
    title: 'a client that is registered with a secret, and DPoP',
    faults: { authMethods: ['client_secret_basic'], dpop: DPOP },
    secrets: ['code', 'code_verifier', 'accessToken', 'refresh_token', 'clientSecret', 'authorization', 'dpop', 'd'],
  },
  {
    kind: 'authorization_code',
    title: 'a client that is registered with a key',
    faults: { authMethods: ['private_key_jwt'] },
    secrets: ['code', 'code_verifier', 'accessToken', 'refreshToken', 'client_assertion', 'd'],
  },
  { kind: 'device_code', title: 'a public client', secrets: ['device_code', 'accessToken', 'refreshToken'] },
  {
    kind: 'client_credentials',
    title: 'a secret, and DPoP',
    faults: { dpop: DPOP },
    secrets: ['clientSecret', 'accessToken', 'authorization', 'dpop', 'd'],
  },
  {
    kind: 'client_credentials',
    title: 'a private key',
    proof: 'key',
    secrets: ['d', 'client_assertion', 'entered', 'accessToken'],
  },
  { kind: 'workload_identity', title: 'an assertion', secrets: ['assertion', 'clientSecret', 'accessToken'] },
  {
    kind: 'enterprise_managed',
    title: 'an ID token',
    secrets: ['idToken', 'subject_token', 'assertion', 'client_secret', 'clientSecret', 'accessToken'],
  },
  {
    kind: 'enterprise_managed',
    title: 'a sign-in at the provider',
    faults: { idpRotate: true },
    hasNoIdToken: true,
    secrets: ['idToken', 'subject_token', 'assertion', 'code', 'code_verifier', 'refreshToken', 'client_secret'],
  },
  { kind: 'static_token', title: 'a token', secrets: ['entered', 'accessToken'] },
];

/** A network in which token endpoints repeat in their errors what they were sent. */
function echoing(repeated: () => 'body' | 'headers' | undefined): NonNullable<HeadlessOptions['wrapFetch']> {
  return (fetch) => async (url, request) => {
    const part = repeated();
    if (part === undefined || request.method !== 'POST' || request.body === undefined) return fetch(url, request);
    const sent =
      part === 'body' ? `${decodeURIComponent(request.body)} ${request.body}` : JSON.stringify(request.headers);
    return Response.json({ error: 'invalid_request', error_description: `What is ${sent}` }, { status: 400 });
  };
}

async function start(t: TestContext, { faults = {}, hasNoIdToken = false, kind, proof }: Case) {
  const echo: { of: 'body' | 'headers' | undefined } = { of: undefined };
  const all: Partial<Faults> = { registrationManagement: 'ok', ...faults };
  const started = await startForKinds(t, all, { wrapFetch: echoing(() => echo.of) });
  const { headless, manager, server } = started;
  const canaries = new Canaries(server, headless);
  const { id } = await manager.add(server.mcpUrl, undefined, kind);
  const enter = async (): Promise<void> => {
    const { settings, entered: given } = await entryFor(server, kind, proof);
    const { idToken: _idToken, ...provider } = given.identityProvider ?? {};
    const entered = hasNoIdToken ? { ...given, identityProvider: provider } : given;
    for (const text of [entered, entered.identityProvider ?? {}].flatMap((part) => Object.values(part))) {
      // Of a key in PEM its lines, each of which says too much.
      if (typeof text === 'string') for (const line of text.split('\n')) canaries.add('entered', line);
    }
    await manager.configure(id, settings, entered);
  };
  return { ...started, canaries, echo, id, enter };
}

/** What the tree, its tooltips and messages say of a connection and of an error. */
function shown(manager: ConnectionManager, id: ConnectionId, error?: unknown): readonly unknown[] {
  const connection = manager.get(id);
  if (connection === undefined) return [error === undefined ? '' : errorText(error)];
  const now = Date.now();
  return [
    connectionText(connection, now, manager.deviceAuthorization(id)),
    tooltipLines(connection, now, { device: manager.deviceAuthorization(id) }),
    scopesText(connection),
    signInText(connection),
    ...[error, connection.lastError].flatMap((one) => (one === undefined ? [] : [errorText(one)])),
  ];
}

/** What the details view and the export say of a connection, and the steps that both are made of. */
async function shownInFull(manager: ConnectionManager, id: ConnectionId): Promise<readonly unknown[]> {
  const trace = await manager.trace(id);
  const connection = manager.get(id);
  if (connection === undefined) return [trace];
  const now = Date.now();
  const activity = manager.activity(id);
  return [
    trace,
    detailsModel({ connection, activity, trace, device: manager.deviceAuthorization(id), now }),
    diagnostics({}, [{ connection, activity, trace }], now),
  ];
}

describe('P36 no secret is told', () => {
  for (const one of CASES) {
    it(`of ${one.kind} with ${one.title}: signing in, renewing, failing, ending`, async (t) => {
      const { server, headless, manager, canaries, echo, id, enter } = await start(t, one);
      const attempt = async (task: Promise<unknown>): Promise<void> => {
        await task.catch((error: unknown) => canaries.tell(error, ...shown(manager, id, error)));
        canaries.tell(...shown(manager, id), ...(await shownInFull(manager, id)));
        canaries.collect();
        await canaries.readDisk();
      };
      await enter();
      assert.equal((await manager.authorize(id)).type, 'authorized');
      const trace = await manager.trace(id);
      assert.ok((trace?.steps.length ?? 0) > 0);
      canaries.tell(trace);
      canaries.collect();
      assert.equal((await callTool(manager, id)).status, 200);
      await attempt(manager.refresh(id));
      for (const faults of FAULTS) {
        const before = { ...server.faults };
        Object.assign(server.faults, faults);
        await attempt(manager.refresh(id));
        await attempt(manager.authorize(id));
        await attempt(callTool(manager, id));
        Object.assign(server.faults, before);
        await enter();
        await attempt(manager.authorize(id));
      }
      assert.equal(manager.get(id)?.state.type, 'ready');

      // What a parser says of an answer that it cannot read may repeat a part of that.
      server.faults.tokenBody = (body) => {
        canaries.add('unreadable answer', body.access_token);
        return JSON.stringify(body).slice(0, -1);
      };
      await attempt(manager.refresh(id));
      server.faults.tokenBody = undefined;
      await enter();
      await attempt(manager.authorize(id));

      for (const part of ['body', 'headers'] as const) {
        echo.of = part;
        await attempt(manager.refresh(id));
        await attempt(manager.authorize(id));
      }
      echo.of = undefined;
      await attempt(manager.authorize(id));

      for (const state of ['locked', 'unavailable'] as const) {
        headless.keychain.state = state;
        await attempt(manager.refresh(id));
        await attempt(manager.authorize(id));
        await attempt(enter());
        headless.keychain.state = 'open';
      }
      await attempt(manager.disconnect(id));
      await enter();
      await attempt(manager.authorize(id));
      assert.equal(manager.get(id)?.state.type, 'ready');
      server.faults.revocation = 'error';
      server.faults.registrationManagement = 'error';
      await attempt(manager.remove(id));
      assert.deepEqual(
        [...headless.keychain.entries.keys()].filter((entry) => entry.startsWith('connection:')),
        [],
      );

      assert.deepEqual(canaries.leaks(id), []);
      assert.deepEqual(
        one.secrets.filter((kind) => !canaries.kinds.has(kind)),
        [],
        'each was looked for',
      );
    });
  }
});
