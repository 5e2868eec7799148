import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { PublicConnection, ScopekeeperApi } from '../../src/vscode/api.ts';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import type { DpopSwitch } from '../servers/grantSwitches.ts';
import { open } from './browser.ts';
import { allowUris } from './editorUris.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions, type Questions } from './questions.ts';
import { scopekeeper, theProbe } from './theProbe.ts';
import { treeTexts } from './visible.ts';

/** A server that deviates from the rules, and the way from its error to a connection that works. */
interface Deviation {
  readonly title: string;
  readonly faults: Partial<Faults>;
  readonly prepare?: (server: FaultyServer) => void;
  /** The errors that are told, one after the other, and the button of each that the person presses. */
  readonly errors: readonly { readonly says: RegExp; readonly press: string }[];
  /** What the person then types and confirms. */
  readonly types?: readonly string[];
  readonly confirms?: readonly string[];
  /** What they answer to boxes and lists with buttons. */
  readonly answers?: (questions: Questions, server: FaultyServer) => Promise<void>;
  /** What the servers see of it. */
  readonly check: (server: FaultyServer, authorizations: readonly URLSearchParams[]) => void;
}

const CLIENT = { id: 'app-of-mine', secret: 'canary-right-secret', authMethod: 'client_secret_basic' };
const ONLY_CLIENTS: Partial<Faults> = { grantTypes: ['client_credentials'], noRegistration: true };
const DPOP: DpopSwitch = { algs: ['ES256'], required: false, nonce: 'none', challengeScheme: 'Bearer' };

const DEVIATIONS: readonly Deviation[] = [
  {
    title: 'P13 one that does not advertise PKCE, which is used all the same',
    faults: { noPkce: true },
    errors: [{ says: /does not say that it protects sign-ins.* \[Allow…\]$/, press: 'Allow…' }],
    confirms: ['Allow'],
    check: (_server, [query]) => assert.equal(query?.get('code_challenge_method'), 'S256'),
  },
  {
    title: 'P14 one that refuses `resource`, which is left out of all requests',
    faults: { rejectResource: true },
    errors: [{ says: /does not accept the address.* \[Leave It Out…\]$/, press: 'Leave It Out…' }],
    answers: async (questions) => void (await questions.choice('left out')),
    check: (server, [first, second]) => {
      assert.deepEqual([first?.get('resource'), second?.get('resource')], [server.mcpUrl, null]);
      assert.deepEqual(
        server.requestsTo('token').map(({ form }) => form?.['resource']),
        [undefined],
      );
    },
  },
  {
    title: 'P14 one that refuses `resource` beside scopes, as Microsoft Entra ID does',
    faults: { entra: { rejectResourceWithScopes: 'everywhere' }, scopesSupported: ['files:read'] },
    errors: [{ says: /It says: “AADSTS9010010.* \[Leave It Out…\]$/, press: 'Leave It Out…' }],
    answers: async (questions) => void (await questions.choice('left out')),
    check: (server) => assert.equal(server.requestsTo('token').at(-1)?.form?.['resource'], undefined),
  },
  {
    title: 'P15 one that refuses a scope which the server names, for the scopes of the person',
    faults: { scopesSupported: ['files:read', 'files:write'], rejectScopes: ['files:write'] },
    errors: [{ says: /refused the scopes.*“not known: files:write”.* \[Choose Scopes…\]$/, press: 'Choose Scopes…' }],
    types: ['files:read'],
    check: (_server, [first, second]) =>
      assert.deepEqual([first?.get('scope'), second?.get('scope')], ['files:read files:write', 'files:read']),
  },
  {
    title: 'P15 one for clients alone that refuses a scope at its token endpoint',
    faults: { ...ONLY_CLIENTS, scopesSupported: ['files:read', 'files:write'], rejectScopes: ['files:write'] },
    prepare: (server) => server.addClient(CLIENT),
    errors: [
      { says: /does not let people sign in this way.* \[Choose How to Sign In…\]$/, press: 'Choose How to Sign In…' },
      { says: /refused the scopes.* \[Choose Scopes…\]$/, press: 'Choose Scopes…' },
    ],
    answers: async (questions) => {
      await questions.choice('Client credentials');
      await enterClient(questions, CLIENT.secret);
    },
    types: ['files:read'],
    check: (server, authorizations) => {
      assert.deepEqual(authorizations, []);
      assert.equal(server.requestsTo('token').at(-1)?.form?.['scope'], 'files:read');
    },
  },
  {
    title: 'P8 one that registers nobody, and an own client whose secret was mistyped at first',
    faults: { noRegistration: true },
    prepare: (server) => server.addClient(CLIENT),
    errors: [
      { says: /does not let apps register.* \[Enter Client ID…\]$/, press: 'Enter Client ID…' },
      { says: /does not accept the client that you entered.* \[Enter Client ID…\]$/, press: 'Enter Client ID…' },
    ],
    types: ['canary-wrong-secret', CLIENT.secret],
    answers: async (questions) => {
      await questions.text(CLIENT.id);
      assert.equal((await questions.text(CLIENT.id)).value, CLIENT.id);
    },
    check: (server, authorizations) => {
      assert.deepEqual(
        authorizations.map((query) => query.get('client_id')),
        [CLIENT.id, CLIENT.id],
      );
      assert.equal(server.requestsTo('registration').length, 0);
    },
  },
  {
    title: 'P8 one that refuses registrations, and an own client that needs no secret',
    faults: { registrationStatus: 403, registrationError: 'access_denied' },
    prepare: (server) => server.addClient({ id: CLIENT.id, authMethod: 'none' }),
    errors: [{ says: /refused to register.* \[Enter Client ID…\]$/, press: 'Enter Client ID…' }],
    types: [''],
    answers: async (questions) => void (await questions.text(CLIENT.id)),
    check: (_server, [query]) => assert.equal(query?.get('client_id'), CLIENT.id),
  },
  {
    title: 'P8 one for clients alone, and one whose secret was mistyped at first',
    faults: ONLY_CLIENTS,
    prepare: (server) => server.addClient(CLIENT),
    errors: [
      { says: /does not let people sign in this way.* \[Choose How to Sign In…\]$/, press: 'Choose How to Sign In…' },
      { says: /does not accept the client that you entered.* \[Enter Client ID…\]$/, press: 'Enter Client ID…' },
    ],
    answers: async (questions) => {
      await questions.choice('Client credentials');
      await enterClient(questions, 'canary-wrong-secret');
      await enterClient(questions, CLIENT.secret);
    },
    check: (server) => assert.equal(server.requestsTo('token').length, 2),
  },
  {
    title: 'P18 one that takes no address of this computer, by way of the editor',
    faults: { rejectLoopback: true },
    errors: [
      {
        says: /does not let sign-ins come back to a port.* \[Change Where It Comes Back To…\]$/,
        press: 'Change Where It Comes Back To…',
      },
    ],
    answers: async (questions) => void (await questions.choice('the editor')),
    check: (_server, [query]) =>
      assert.equal(query?.get('redirect_uri'), `${vscode.env.uriScheme}://scopekeeper.scopekeeper/callback`),
  },
  {
    title: 'P6 one whose first authorization server registers nobody, at the other one',
    faults: { issuers: 'both', registrationStatus: 403, registrationStatusAt: 'first' },
    errors: [
      {
        says: /refused to register.* \[Enter Client ID…\] \[Other Authorization Server…\]$/,
        press: 'Other Authorization Server…',
      },
    ],
    answers: async (questions, { secondIssuer }) => void (await questions.choice(new URL(secondIssuer).host)),
    check: (server) => {
      const [exchange] = server.requestsTo('token');
      assert.equal(exchange?.url, `${server.secondIssuer}/token`);
    },
  },
  {
    title: 'tokens bound to a key (RFC 9449) that are required and nowhere announced',
    faults: { dpop: { ...DPOP, required: true, isHidden: true } },
    errors: [{ says: /do not agree on binding tokens.* \[Change DPoP…\]$/, press: 'Change DPoP…' }],
    answers: async (questions) => void (await questions.choice('always')),
    check: (server) => {
      const [refused, taken] = server.requestsTo('token').map(({ headers }) => headers['dpop']);
      assert.equal(refused, undefined);
      assert.ok(taken);
    },
  },
  {
    title: 'tokens bound to a key (RFC 9449) that are announced and then refused',
    faults: { dpop: { ...DPOP, refusesProofs: true } },
    errors: [{ says: /do not agree on binding tokens.* \[Change DPoP…\]$/, press: 'Change DPoP…' }],
    answers: async (questions) => void (await questions.choice('never')),
    check: (server) => {
      const [refused, taken] = server.requestsTo('token').map(({ headers }) => headers['dpop']);
      assert.ok(refused);
      assert.equal(taken, undefined);
    },
  },
];

/** Enters client ID and secret for client credentials. */
async function enterClient(questions: Questions, secret: string): Promise<void> {
  await questions.text(CLIENT.id);
  await questions.choice('Client secret');
  await questions.text(secret);
}

describe('the button of an error leads to a connection that works', () => {
  let probe: Probe;
  let api: ScopekeeperApi;
  const servers: FaultyServer[] = [];

  before(async () => {
    [probe, api] = await Promise.all([theProbe(), scopekeeper()]);
    await allowUris();
  });

  afterEach(async () => {
    probe.editor.answers.clear();
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  after(async () => Promise.all(servers.map(async (server) => server.close())));

  function connectionTo(server: FaultyServer): PublicConnection | undefined {
    return api.connections().find(({ serverUrl }) => serverUrl === server.mcpUrl);
  }

  /** Goes through whatever is opened in the browser until the connection is ready; gives the authorization requests. */
  async function browse(server: FaultyServer): Promise<URLSearchParams[]> {
    const { opened } = probe.editor;
    const requests: URLSearchParams[] = [];
    for (let next = opened.length; ; next += 1) {
      const url = await probe.recorder.until('the browser or a good end', () => {
        return opened[next] ?? (connectionTo(server)?.state === 'ready' ? 'ready' : undefined);
      });
      if (url === 'ready') return requests;
      requests.push(new URL(url).searchParams);
      const callback = await server.authorize(url);
      if (callback.protocol === 'http:') await open(callback);
      else await vscode.commands.executeCommand('vscode.open', vscode.Uri.parse(callback.href));
    }
  }

  async function startServer({ faults, prepare }: Pick<Deviation, 'faults' | 'prepare'>): Promise<FaultyServer> {
    const server = await startFaultyServer(faults);
    servers.push(server);
    prepare?.(server);
    return server;
  }

  function assertAllAsked(): void {
    assert.deepEqual(
      [...probe.editor.answers].filter(([, left]) => left.length > 0),
      [],
      'something was not asked for',
    );
  }

  for (const deviation of DEVIATIONS) {
    const { title, errors, types = [], confirms = [], answers, check } = deviation;
    it(title, async () => {
      const server = await startServer(deviation);
      const errorsBefore = probe.editor.errors.length;
      for (const [asks, given] of [
        ['showErrorMessage', errors.map(({ press }) => press)],
        ['showInputBox', types],
        ['showWarningMessage', confirms],
      ] as const) {
        probe.editor.answers.set(asks, [...given]);
      }
      const questions = nextQuestions(probe);
      const browsing = browse(server);
      const connecting = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectServer'));
      await questions.text(server.mcpUrl);
      await connecting;
      await answers?.(questions, server);
      check(server, await browsing);

      const told = probe.editor.errors.slice(errorsBefore);
      assert.equal(told.length, errors.length, told.join('\n'));
      for (const [index, { says }] of errors.entries()) assert.match(told[index] ?? '', says);
      assertAllAsked();
      const { id } = connectionTo(server) ?? assert.fail('the connection is gone');
      await vscode.commands.executeCommand('scopekeeper.refreshToken', id);
      assert.equal(connectionTo(server)?.state, 'ready');
      const texts = [...(await treeTexts(probe.editor)), JSON.stringify(api.connections())];
      assert.ok(!texts.some((text) => text.includes('canary')), 'what was entered can be seen');
    });
  }

  it('P6 one whose authorization server was chosen and is down: the choice says so, and takes another one', async () => {
    const server = await startServer({ faults: { issuers: 'both' } });
    const questions = nextQuestions(probe);
    const connected = browse(server);
    const connecting = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectServer'));
    await questions.text(server.mcpUrl);
    await Promise.all([connecting, connected]);
    const { id } = connectionTo(server) ?? assert.fail('the connection is gone');

    server.faults.firstIssuerDown = true;
    const [first = '', second = ''] = [server.issuer, server.secondIssuer].map((issuer) => new URL(issuer).host);
    const errorsBefore = probe.editor.errors.length;
    probe.editor.answers.set('showErrorMessage', ['Other Authorization Server…']);
    const opened = probe.editor.opened.length;
    const choosing = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectionSettings', id, 'issuer'));
    await questions.choice(first);
    const { items } = await questions.choice(second);
    await choosing;
    assert.deepEqual(
      items.map(({ label, description }) => [label, description]),
      [
        ['the first that works', ''],
        [first, 'in use, did not work'],
        [second, ''],
      ],
    );
    const url = await probe.recorder.until('the browser', () => probe.editor.opened[opened]);
    assert.equal(new URL(url).host, second);
    await open(await server.authorize(url));
    await probe.recorder.until('a good end', () => server.requestsTo('token').length === 2 || undefined);
    assert.match(probe.editor.errors[errorsBefore] ?? '', /\[Try Again\] \[Other Authorization Server…\]$/);
    assertAllAsked();
  });
});
