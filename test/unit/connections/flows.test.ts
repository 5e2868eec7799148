import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { StoredCredentials } from '../../../src/connections/connectionSecret.ts';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { authorizeInBrowser } from '../../../src/connections/flows/authorizationCode.ts';
import { authorizeDevice } from '../../../src/connections/flows/deviceCode.ts';
import { requestThroughIdentityProvider } from '../../../src/connections/flows/enterpriseManaged.ts';
import type { FlowPorts, FlowRequest } from '../../../src/connections/flows/flow.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { flowPorts, flowRequest, ISSUER, metadata, newConnection } from '../../headless/flowParts.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

const client = { issuer: ISSUER, clientId: 'mine' };
const authorizationServer = {
  ...metadata,
  code_challenge_methods_supported: ['S256'],
  device_authorization_endpoint: `${ISSUER}/device`,
  grant_types_supported: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
};

let clock: ManualClock;
let steps: string[];
/** The forms that were sent, with the path that they were sent to. */
let forms: { readonly [name: string]: string | undefined }[];
let answers: Readonly<Record<string, () => Response>>;
let ports: FlowPorts;
let request: FlowRequest;

beforeEach(() => {
  clock = new ManualClock(1000);
  [steps, forms] = [[], []];
  answers = { '/token': () => Response.json({ access_token: 'at', token_type: 'bearer' }) };
  ports = flowPorts({
    clock,
    prepareRedirect: async (kind) => `http://127.0.0.1:1/${kind}`,
    fetch: async (url, { body }) => {
      const { pathname } = new URL(url);
      forms.push({ ...Object.fromEntries(new URLSearchParams(body)), path: pathname });
      return (answers[pathname] ?? (() => assert.fail(url)))();
    },
  });
  request = flowRequest({
    connection: newConnection({ settings: { client } }),
    discovery: { ...flowRequest().discovery, authorizationServer },
    onStep: (step) => void steps.push(step),
    awaitCallback: async ({ state }) => new URL(`http://127.0.0.1:1/?code=the-code&state=${state}`),
  });
});

describe('a sign-in in the browser', () => {
  for (const [redirect, expected] of [
    [undefined, 'loopback'],
    ['loopback', 'loopback'],
    ['uri_handler', 'uri_handler'],
  ] as const) {
    it(`P18 comes back by ${expected} where ${redirect ?? 'nothing'} is set`, async () => {
      const connection = newConnection({ settings: { client, ...(redirect && { redirect }) } });
      const { answer, client: used } = await authorizeInBrowser(ports, { ...request, connection });
      assert.equal(answer.accessToken, 'at');
      assert.equal(used.clientId, 'mine');
      assert.deepEqual(steps, ['waitingForBrowser', 'exchanging']);
      const [form] = forms;
      assert.equal(form?.['redirect_uri'], `http://127.0.0.1:1/${expected}`);
      assert.equal(form['code'], 'the-code');
    });
  }

  it('P13 needs a server that does PKCE, unless the person allows another', async () => {
    const { code_challenge_methods_supported: _, ...unknown } = authorizationServer;
    const discovery = { ...request.discovery, authorizationServer: unknown };
    const refused = authorizeInBrowser(ports, { ...request, discovery });
    await assert.rejects(refused, (error) => isOAuthError(error, 'pkce_unsupported'));
    assert.deepEqual(steps, []);
    for (const [allowUnadvertisedPkce, isAllowed] of [
      [true, true],
      [false, false],
    ] as const) {
      const connection = newConnection({ settings: { client, allowUnadvertisedPkce } });
      const signIn = authorizeInBrowser(ports, { ...request, connection, discovery });
      if (isAllowed) assert.equal((await signIn).answer.accessToken, 'at');
      else await assert.rejects(signIn);
    }
  });

  it('is not begun when it was cancelled, though everything is ready', async () => {
    const reason = new Error('cancelled');
    await assert.rejects(authorizeInBrowser(ports, { ...request, signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual(steps, []);
  });

  const timedOut = new ConnectionError('authorization_timed_out', { timeoutMs: 5 });
  for (const [title, endpoint, failure, details] of [
    ['tells of the device code that the server offers', true, timedOut, { timeoutMs: 5, offersDeviceCode: true }],
    ['tells of none where there is none', false, timedOut, { timeoutMs: 5 }],
    ['tells of none after another failure', true, new ConnectionError('owner_gone', {}), {}],
  ] as const) {
    it(`that nobody comes back from ${title}`, async () => {
      const { device_authorization_endpoint: _, ...without } = authorizationServer;
      const discovery = { ...request.discovery, authorizationServer: endpoint ? authorizationServer : without };
      const awaitCallback = async (): Promise<never> => Promise.reject(failure);
      await assert.rejects(authorizeInBrowser(ports, { ...request, discovery, awaitCallback }), (error) => {
        assert.ok(isConnectionError(error, failure.code));
        assert.deepEqual(error.details, details);
        return true;
      });
    });
  }
});

describe('a sign-in on another device', () => {
  const device = { device_code: 'dc', user_code: 'UC', verification_uri: 'https://as.example/enter', expires_in: 60 };

  /** Signs in; the clock goes on whenever something is waited for. */
  async function signIn(): Promise<{ prompt: unknown; outcome: string; seconds: number }> {
    let prompt: unknown;
    const showDevice = async <T>(shown: unknown, wait: () => Promise<T>): Promise<T> => {
      prompt = shown;
      return wait();
    };
    const began = clock.now();
    let isOver = false;
    const done = authorizeDevice(ports, { ...request, showDevice })
      .then(({ answer }) => answer.accessToken)
      .catch((error: unknown) => {
        if (!isOAuthError(error, 'device_code_expired')) throw error;
        assert.deepEqual(error.details, { issuer: ISSUER });
        return error.code;
      })
      .finally(() => (isOver = true));
    for (let turn = 0; !isOver && turn < 10_000; turn += 1) {
      await new Promise((resolve) => void setImmediate(resolve));
      if (!isOver && turn % 10 === 9) clock.advance(1000);
    }
    return { outcome: await done, prompt, seconds: (clock.now() - began) / 1000 };
  }

  for (const [title, complete] of [
    ['with the URI that has the code in it', 'https://as.example/enter?UC'],
    ['without one', undefined],
  ] as const) {
    it(`is shown ${title}, and asked for until it is decided`, async () => {
      let polls = 0;
      answers = {
        '/device': () => Response.json({ ...device, verification_uri_complete: complete, interval: 5 }),
        '/token': () =>
          (polls += 1) < 3
            ? Response.json({ error: 'authorization_pending' }, { status: 400 })
            : Response.json({ access_token: 'at', token_type: 'bearer' }),
      };
      const { prompt, outcome } = await signIn();
      assert.equal(outcome, 'at');
      assert.deepEqual(prompt, {
        userCode: 'UC',
        verificationUri: 'https://as.example/enter',
        ...(complete !== undefined && { verificationUriComplete: complete }),
        expiresAt: 61_000,
      });
      assert.deepEqual(steps, ['exchanging']);
      assert.equal(polls, 3);
    });
  }

  for (const [title, error, interval, polls] of [
    ['is asked for in the server’s interval', 'authorization_pending', 20, 3],
    ['is asked for in an interval that grows when the server says so', 'slow_down', 10, 3],
  ] as const) {
    it(`${title}, until its code ends`, async () => {
      answers = {
        '/device': () => Response.json({ ...device, interval }),
        '/token': () => Response.json({ error }, { status: 400 }),
      };
      const { outcome, seconds } = await signIn();
      assert.equal(outcome, 'device_code_expired');
      assert.equal(forms.filter(({ path }) => path === '/token').length, polls);
      assert.ok(seconds >= 60 && seconds < 62, String(seconds));
    });
  }
});

describe('SEP-990 a sign-in at the company’s identity provider', () => {
  const idp = { issuer: 'https://idp.example', clientId: 'us' };
  const connection = newConnection({ kind: 'enterprise_managed', settings: { client, identityProvider: idp } });

  /** Asks with what is stored. Gives what is stored then, with the token or the code of what failed. */
  async function ask(stored: StoredCredentials): Promise<{ outcome: string; kept: unknown }> {
    let credentials = stored;
    const unattended = {
      connection,
      secret: { version: 1, generation: 1, serverUrl: connection.serverUrl, credentials: stored } as const,
      authorizationServer: metadata,
      client: { ...client, authMethod: 'none', source: 'preregistered' } as const,
      reach: 'public' as const,
      scopes: ['a'],
      resource: undefined,
      dpop: undefined,
      withCredentials: async <T>(
        task: (held: {
          stored: StoredCredentials | undefined;
          keep: (next: StoredCredentials) => Promise<void>;
        }) => Promise<T>,
      ): Promise<T> => task({ stored: credentials, keep: async (next) => void (credentials = next) }),
    };
    const outcome = await requestThroughIdentityProvider(ports, unattended).then(
      ({ accessToken }) => accessToken,
      (error: unknown) => {
        assert.ok(isOAuthError(error, 'identity_ended'), String(error));
        assert.deepEqual(error.details, { issuer: idp.issuer });
        return error.code;
      },
    );
    return { outcome, kept: credentials.identityProvider };
  }

  beforeEach(() => {
    const found = () => Response.json({ issuer: idp.issuer, token_endpoint: `${idp.issuer}/idp-token` });
    answers = {
      ...answers,
      '/.well-known/oauth-authorization-server': found,
      '/.well-known/openid-configuration': found,
    };
  });

  it('has ended when there is nothing to ask with', async () => {
    assert.equal((await ask({})).outcome, 'identity_ended');
    assert.equal((await ask({ identityProvider: idp })).outcome, 'identity_ended');
    assert.equal(
      (await ask({ identityProvider: { ...idp, clientId: 'other', idToken: 'id' } })).outcome,
      'identity_ended',
    );
    assert.ok(forms.every(({ path }) => path?.startsWith('/.well-known/')));
  });

  it('P28 has ended when the provider renews it without an ID token, and its refresh token is kept', async () => {
    answers = {
      ...answers,
      '/idp-token': () => Response.json({ access_token: 'x', token_type: 'bearer', refresh_token: 'rt-2' }),
    };
    const { outcome, kept } = await ask({ identityProvider: { ...idp, refreshToken: 'rt-1' } });
    assert.equal(outcome, 'identity_ended');
    assert.deepEqual(kept, { ...idp, refreshToken: 'rt-2' });
  });
});
