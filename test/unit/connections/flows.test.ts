import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { StoredCredentials } from '../../../src/connections/connectionSecret.ts';
import { asScopekeeperError, ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { authorizeInBrowser } from '../../../src/connections/flows/authorizationCode.ts';
import { authorizeDevice } from '../../../src/connections/flows/deviceCode.ts';
import {
  requestThroughIdentityProvider,
  signInAtIdentityProvider,
} from '../../../src/connections/flows/enterpriseManaged.ts';
import type { FlowPorts, FlowRequest, WithCredentials } from '../../../src/connections/flows/flow.ts';
import type { IdentitySession } from '../../../src/connections/flows/identityProvider.ts';
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
    prepareRedirect: async (kind) => `http://127.0.0.1:1/${kind ?? 'what_fits'}`,
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
    [undefined, 'what_fits'],
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
      await assert.rejects(
        authorizeInBrowser(ports, { ...request, discovery, awaitCallback: async () => Promise.reject(failure) }),
        (error) => {
          assert.ok(isConnectionError(error, failure.code));
          assert.deepEqual(error.details, details);
          return true;
        },
      );
    });
  }
});

/** Signs in on another device; the clock goes on whenever something is waited for. */
async function signInOnDevice(): Promise<{ prompt: unknown; outcome: string; seconds: number }> {
  let prompt: unknown;
  const showDevice = async <T>(shown: unknown, wait: () => Promise<T>): Promise<T> => {
    prompt = shown;
    return wait();
  };
  const began = clock.now();
  const progress = { isOver: false };
  const done = authorizeDevice(ports, { ...request, showDevice })
    .then(({ answer }) => answer.accessToken)
    .catch((error: unknown) => {
      if (!isOAuthError(error, 'device_code_expired')) throw error;
      assert.deepEqual(error.details, { issuer: ISSUER });
      return error.code;
    })
    .finally(() => (progress.isOver = true));
  for (let turn = 1; !progress.isOver; turn += 1) {
    await new Promise((resolve) => void setImmediate(resolve));
    if (turn % 10 === 0 && !progress.isOver) clock.advance(1000);
  }
  return { outcome: await done, prompt, seconds: (clock.now() - began) / 1000 };
}

describe('a sign-in on another device', () => {
  const device = { device_code: 'dc', user_code: 'UC', verification_uri: 'https://as.example/enter', expires_in: 60 };

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
      const { prompt, outcome } = await signInOnDevice();
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
      const { outcome, seconds } = await signInOnDevice();
      assert.equal(outcome, 'device_code_expired');
      assert.equal(forms.filter(({ path }) => path === '/token').length, polls);
      assert.ok(seconds >= 60 && seconds < 62, String(seconds));
    });
  }
});

const idp = { issuer: 'https://idp.example', clientId: 'us' };
const provider = {
  issuer: idp.issuer,
  authorization_endpoint: `${idp.issuer}/authorize`,
  token_endpoint: `${idp.issuer}/idp-token`,
  code_challenge_methods_supported: ['S256'],
};
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** An ID token that ends so many seconds after the clock's start. */
function idToken(name: string, endsAfter?: number): string {
  const claims = { name, ...(endsAfter !== undefined && { exp: 1 + endsAfter }) };
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

/** What was asked of the provider and of the server, in order. */
function asked(): readonly string[] {
  return forms.flatMap((form) => {
    if (form['path']?.startsWith('/.well-known/') === true) return [];
    const { subject_token: subject, refresh_token: refresh, assertion, code } = form;
    return subject ?? refresh ?? assertion ?? code ?? 'nothing';
  });
}

describe('SEP-990 a sign-in at the company’s identity provider', () => {
  const settings = { client, identityProvider: idp };
  let credentials: StoredCredentials | undefined;
  /** The ID tokens that the provider no longer takes, and what it says of them. */
  let refused: readonly string[];
  let refusal: string;
  /** What it gives for a refresh token, in turn. */
  let renewed: object[];

  const lend: WithCredentials = async (task) =>
    task({ stored: credentials, keep: async (next) => void (credentials = next) });

  beforeEach(() => {
    [refused, refusal, renewed, credentials] = [[], 'invalid_grant', [], undefined];
    answers = {
      '/.well-known/oauth-authorization-server': () => Response.json(provider),
      '/token': () => Response.json({ access_token: 'at', token_type: 'bearer' }),
      '/idp-token': () => {
        const form = forms.at(-1);
        if (form?.['grant_type'] !== EXCHANGE)
          return Response.json({ access_token: 'x', token_type: 'bearer', ...renewed.shift() });
        if (refused.includes(form['subject_token'] ?? '')) return Response.json({ error: refusal }, { status: 400 });
        return Response.json({
          access_token: 'jag',
          token_type: 'N_A',
          issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        });
      },
    };
  });

  /** Asks with what is stored. Gives the account, or the code of what failed. */
  async function ask(identityProvider?: Partial<IdentitySession>): Promise<string | undefined> {
    credentials = identityProvider && { identityProvider: { ...idp, ...identityProvider } };
    const unattended = {
      connection: newConnection({ kind: 'enterprise_managed', settings }),
      secret: undefined,
      authorizationServer: metadata,
      client: { ...client, authMethod: 'none', source: 'preregistered' } as const,
      reach: 'public' as const,
      scopes: ['a'],
      resource: undefined,
      withCredentials: lend,
    };
    return requestThroughIdentityProvider(ports, unattended).then(
      ({ account }) => account,
      (error: unknown) => {
        const failure = asScopekeeperError(error);
        if (isOAuthError(failure, 'identity_ended')) assert.deepEqual(failure.details, { issuer: idp.issuer });
        return failure.code;
      },
    );
  }

  it('is used as long as its ID token is good', async () => {
    for (const good of [idToken('ada'), idToken('ada', 31)]) {
      forms = [];
      assert.equal(await ask({ idToken: good, refreshToken: 'rt' }), 'ada');
      assert.deepEqual(asked(), [good, 'jag']);
    }
  });

  it('tells no account where the ID token names none', async () => {
    const nameless = `h.${Buffer.from('{}').toString('base64url')}.s`;
    assert.equal(await ask({ idToken: nameless }), undefined);
  });

  it('P28 is renewed when its ID token ends within half a minute, and what comes is kept', async () => {
    const next = idToken('grace', 3600);
    renewed = [{ id_token: next, refresh_token: 'rt-2' }];
    assert.equal(await ask({ idToken: idToken('ada', 30), refreshToken: 'rt' }), 'grace');
    assert.deepEqual(asked(), ['rt', next, 'jag']);
    assert.deepEqual(credentials?.identityProvider, { ...idp, idToken: next, refreshToken: 'rt-2' });
  });

  it('P28 keeps its refresh token when there is no other one', async () => {
    const next = idToken('grace', 3600);
    renewed = [{ id_token: next }];
    await ask({ refreshToken: 'rt' });
    assert.deepEqual(credentials?.identityProvider, { ...idp, idToken: next, refreshToken: 'rt' });
  });

  it('P31 is renewed once more when what came has ended, as an answer from the journal may have', async () => {
    const next = idToken('grace', 3600);
    renewed = [{ id_token: idToken('late', -10), refresh_token: 'rt-2' }, { id_token: next }];
    assert.equal(await ask({ refreshToken: 'rt' }), 'grace');
    assert.deepEqual(asked(), ['rt', 'rt-2', next, 'jag']);
  });

  for (const code of ['invalid_grant', 'invalid_request']) {
    it(`P32 is renewed when its ID token is refused by ${code}${code === 'invalid_grant' ? '' : ', not'}`, async () => {
      const first = idToken('ada');
      const next = idToken('grace', 3600);
      [refused, refusal, renewed] = [[first], code, [{ id_token: next }]];
      const outcome = await ask({ idToken: first, refreshToken: 'rt' });
      assert.equal(outcome, code === 'invalid_grant' ? 'grace' : 'token_request_failed');
      assert.deepEqual(asked(), code === 'invalid_grant' ? [first, 'rt', next, 'jag'] : [first]);
    });
  }

  it('P29 takes the ID token that another sign-in has got meanwhile', async () => {
    const first = idToken('ada');
    const next = idToken('grace', 3600);
    refused = [first];
    const { '/idp-token': usual = () => assert.fail() } = answers;
    answers = {
      ...answers,
      '/idp-token': () => {
        credentials = { identityProvider: { ...idp, idToken: next, refreshToken: 'rt-2' } };
        return usual();
      },
    };
    assert.equal(await ask({ idToken: first, refreshToken: 'rt' }), 'grace');
    assert.deepEqual(asked(), [first, next, 'jag']);
  });

  it('P32 is over when the provider refuses all there is, or there is nothing', async () => {
    const first = idToken('ada');
    refused = [first];
    assert.equal(await ask({ idToken: first }), 'grant_rejected');
    assert.deepEqual(asked(), [first], 'it is not tried twice');
    assert.equal(await ask(), 'identity_ended');
    assert.equal(await ask({}), 'identity_ended');
    assert.equal(await ask({ clientId: 'other', idToken: idToken('ada') }), 'identity_ended');
  });

  it('P28 is over when the provider renews it without an ID token, and its refresh token is kept', async () => {
    renewed = [{ refresh_token: 'rt-2' }];
    assert.equal(await ask({ refreshToken: 'rt' }), 'identity_ended');
    assert.deepEqual(credentials?.identityProvider, { ...idp, refreshToken: 'rt-2' });
  });

  it('P25 what the server refuses is not tried with another ID token', async () => {
    answers = { ...answers, '/token': () => Response.json({ error: 'invalid_grant' }, { status: 400 }) };
    assert.equal(await ask({ idToken: idToken('ada'), refreshToken: 'rt' }), 'grant_rejected');
    assert.equal(asked().length, 2);
  });

  describe('with the person', () => {
    beforeEach(() => {
      const connection = newConnection({ kind: 'enterprise_managed', settings });
      request = { ...request, connection, withCredentials: lend };
    });

    it('needs none while what is stored is good', async () => {
      credentials = { identityProvider: { ...idp, idToken: idToken('ada') } };
      const { answer, client: used } = await signInAtIdentityProvider(ports, request);
      assert.deepEqual([answer.account, used.clientId], ['ada', 'mine']);
      assert.deepEqual(steps, ['exchanging']);
    });

    for (const redirect of [undefined, 'uri_handler'] as const) {
      it(`signs in there otherwise, and comes back by ${redirect ?? 'what_fits'}`, async () => {
        const next = idToken('grace', 3600);
        renewed = [{ id_token: next, refresh_token: 'rt' }];
        const connection = newConnection({
          ...request.connection,
          settings: { ...settings, ...(redirect && { redirect }) },
        });
        const { answer } = await signInAtIdentityProvider(ports, { ...request, connection });
        assert.equal(answer.account, 'grace');
        assert.deepEqual(steps, ['exchanging', 'waitingForBrowser', 'exchanging']);
        assert.deepEqual(asked(), ['the-code', next, 'jag']);
        const exchange = forms.find(({ code }) => code === 'the-code');
        assert.equal(exchange?.['redirect_uri'], `http://127.0.0.1:1/${redirect ?? 'what_fits'}`);
        assert.deepEqual(credentials?.identityProvider, { ...idp, idToken: next, refreshToken: 'rt' });
      });
    }

    it('P13 needs a provider that does PKCE, unless the person allows another', async () => {
      const without = { ...provider, code_challenge_methods_supported: undefined };
      answers = { ...answers, '/.well-known/oauth-authorization-server': () => Response.json(without) };
      const refusing = signInAtIdentityProvider(ports, request);
      await assert.rejects(refusing, (error) => isOAuthError(error, 'pkce_unsupported'));
      renewed = [{ id_token: idToken('grace', 3600) }];
      const connection = newConnection({
        kind: 'enterprise_managed',
        settings: { ...settings, allowUnadvertisedPkce: true },
      });
      assert.equal((await signInAtIdentityProvider(ports, { ...request, connection })).answer.account, 'grace');
    });

    it('is not begun when it was cancelled', async () => {
      const reason = new Error('cancelled');
      await assert.rejects(signInAtIdentityProvider(ports, { ...request, signal: AbortSignal.abort(reason) }), reason);
      assert.deepEqual(steps, ['exchanging']);
    });
  });
});
