import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client } from '../../../src/oauth/client.ts';
import { DpopNonces } from '../../../src/oauth/dpop.ts';
import { isOAuthError, OAuthError } from '../../../src/oauth/errors.ts';
import { revokeTokens } from '../../../src/oauth/revocation.ts';
import { generateSigningKey } from '../../../src/oauth/signingKey.ts';
import { refreshTokens } from '../../../src/oauth/token.ts';
import { parseRetryAfter } from '../../../src/oauth/tokenEndpoint.ts';
import { type Answer, networkOf, type SentRequest } from '../answers.ts';

const issuer = 'https://as.example';
const TOKEN = 'https://as.example/token';
const REVOKE = 'https://as.example/revoke';
const authorizationServer = { issuer, token_endpoint: TOKEN, revocation_endpoint: REVOKE };
const client: Client = { issuer, clientId: 'me & co', authMethod: 'none', source: 'registered' };
const unreachable = new OAuthError('server_unreachable', { url: TOKEN, failure: 'dns' });
const fault = new TypeError('a fault of ours');

function refusal(status: number, error: string, description?: string, headers: Record<string, string> = {}): Response {
  const body = { error, ...(description !== undefined && { error_description: description }) };
  return Response.json(body, { status, headers });
}

function parametersOf(request: SentRequest | undefined): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(request?.body));
}

async function refresh(answer: Answer, change: Partial<Client> = {}, reach: 'public' | 'loopback' = 'public') {
  const { fetch, sent } = networkOf({ [TOKEN]: answer });
  const answered = await refreshTokens(fetch, {
    authorizationServer,
    client: { ...client, ...change },
    reach,
    refreshToken: 'RT',
    scopes: ['a', 'b'],
    resource: 'https://example.com/mcp',
  });
  return { answered, sent };
}

function page(status: number, headers: Record<string, string> = {}): Response {
  return new Response('<html>', { status, headers: { 'content-type': 'text/html', ...headers } });
}

/** What became of a revocation, and the tokens that were sent. */
async function revoke(answer: Answer | readonly Answer[], refreshToken: string | undefined) {
  const { fetch, sent } = networkOf({ [REVOKE]: answer });
  const options = { authorizationServer, client, reach: 'public', accessToken: 'AT', refreshToken } as const;
  const outcome = await revokeTokens(fetch, options).catch((error: unknown) => error);
  return { outcome, tokens: sent.map(parametersOf).map(({ token, token_type_hint: hint }) => `${hint} ${token}`) };
}

/** How often a refresh is sent to a server that answers so, and what becomes of it. */
async function refreshBound(answers: readonly Answer[], isBound = true) {
  const { fetch, sent } = networkOf({ [TOKEN]: answers });
  const dpop = isBound ? { key: await generateSigningKey('ES256'), nonces: new DpopNonces() } : undefined;
  const options = { authorizationServer, client, reach: 'public', refreshToken: 'RT', dpop } as const;
  const outcome = await refreshTokens(fetch, { ...options, scopes: undefined, resource: undefined }).catch(
    (error: unknown) => error,
  );
  return { outcome, count: sent.length };
}

function demand(nonce?: string): Response {
  return refusal(400, 'use_dpop_nonce', undefined, nonce === undefined ? {} : { 'dpop-nonce': nonce });
}

function isDemand(error: unknown): boolean {
  return isOAuthError(error, 'token_request_failed') && error.details.error === 'use_dpop_nonce';
}

describe('P14 P27 a refresh', () => {
  it('sends scope and resource, once, and reads the answer', async () => {
    const { answered, sent } = await refresh({
      access_token: 'AT',
      token_type: 'Bearer',
      expires_in: 60,
      refresh_token: 'RT2',
      scope: 'a',
    });
    assert.deepEqual(answered, {
      accessToken: 'AT',
      tokenType: 'bearer',
      expiresInSeconds: 60,
      refreshToken: 'RT2',
      scope: 'a',
    });
    assert.equal(sent.length, 1);
    assert.equal(sent[0]?.method, 'POST');
    assert.equal(sent[0].reach, 'public');
    assert.equal(sent[0].headers?.['accept'], 'application/json');
    assert.deepEqual(parametersOf(sent[0]), {
      grant_type: 'refresh_token',
      refresh_token: 'RT',
      scope: 'a b',
      resource: 'https://example.com/mcp',
      client_id: 'me & co',
    });
  });

  it('P33 takes an answer with nothing but the token', async () => {
    assert.deepEqual((await refresh({ access_token: 'AT' })).answered, { accessToken: 'AT', tokenType: 'bearer' });
  });

  it('P10 authenticates as the client was registered', async () => {
    const basic = await refresh(
      { access_token: 'AT' },
      { authMethod: 'client_secret_basic', clientSecret: 'a-b._* ü' },
    );
    const encoded = Buffer.from('me+%26+co:a-b._*+%C3%BC').toString('base64');
    assert.equal(basic.sent[0]?.headers?.['authorization'], `Basic ${encoded}`);
    assert.equal(parametersOf(basic.sent[0])['client_secret'], undefined);
    const post = await refresh({ access_token: 'AT' }, { authMethod: 'client_secret_post', clientSecret: 's' });
    assert.equal(parametersOf(post.sent[0])['client_secret'], 's');
    assert.equal(post.sent[0]?.headers?.['authorization'], undefined);
    for (const change of [{ authMethod: 'none', clientSecret: 's' }, { authMethod: 'client_secret_post' }] as const) {
      const none = await refresh({ access_token: 'AT' }, change);
      assert.equal(parametersOf(none.sent[0])['client_secret'], undefined);
      assert.equal(none.sent[0]?.headers?.['authorization'], undefined);
    }
  });

  it('P10 signs only as a client that is registered for it, and sends no secret as such a one', async () => {
    const privateKey = await generateSigningKey('ES256');
    for (const [change, isSigned] of [
      [{ authMethod: 'private_key_jwt', privateKey, clientSecret: 's' }, true],
      [{ authMethod: 'none', privateKey }, false],
      [{ authMethod: 'client_secret_post', privateKey }, false],
      [{ authMethod: 'private_key_jwt', clientSecret: 's' }, false],
    ] as const) {
      const { sent } = await refresh({ access_token: 'AT' }, change);
      const { client_assertion: assertion, client_secret: secret } = parametersOf(sent[0]);
      assert.equal(assertion !== undefined, isSigned);
      assert.equal(secret, undefined);
    }
  });

  const challenge = { 'www-authenticate': 'Basic realm="x"' };
  for (const [title, answer, code, details] of [
    [
      'a token that is no longer good',
      refusal(400, 'invalid_grant', 'gone'),
      'grant_rejected',
      { issuer, description: 'gone' },
    ],
    ['a client that is not known', refusal(401, 'invalid_client', undefined, challenge), 'client_rejected', { issuer }],
    [
      'a client that may not',
      refusal(400, 'unauthorized_client', 'no\u0007'),
      'client_rejected',
      { issuer, description: 'no' },
    ],
    ['a resource', refusal(400, 'invalid_target'), 'resource_rejected', { issuer }],
    [
      'a resource, in Entra’s words',
      refusal(400, 'invalid_request', 'AADSTS9010010: no'),
      'resource_rejected',
      { issuer, description: 'AADSTS9010010: no' },
    ],
    ['a scope', refusal(400, 'invalid_scope'), 'token_request_failed', { issuer, status: 400, error: 'invalid_scope' }],
    [
      'a token, with status 200',
      refusal(200, 'bad_refresh_token'),
      'token_request_failed',
      { issuer, status: 200, error: 'bad_refresh_token' },
    ],
    [
      'too many requests',
      refusal(429, 'slow_down', 'later', { 'retry-after': '7' }),
      'token_request_failed',
      { issuer, status: 429, error: 'slow_down', description: 'later', retryAfterMs: 7000 },
    ],
    [
      'everything, with a page',
      page(503, { 'retry-after': '1' }),
      'token_request_failed',
      { issuer, status: 503, retryAfterMs: 1000 },
    ],
    ['everything, with a page and no more', page(500), 'token_request_failed', { issuer, status: 500 }],
    [
      'by sending elsewhere',
      page(302, { location: 'https://other.example' }),
      'token_request_failed',
      { issuer, status: 302 },
    ],
    ['without a word', new Response(null, { status: 204 }), 'token_response_invalid', { issuer, status: 204 }],
    ['with a page that looks well', page(200), 'token_response_invalid', { issuer, status: 200 }],
    ['with no token', Response.json({ token_type: 'bearer' }), 'token_response_invalid', { issuer, status: 200 }],
  ] as const) {
    it(`P32 P33 refused for ${title}: ${code}`, async () => {
      await assert.rejects(refresh(answer), (error) => {
        assert.ok(isOAuthError(error, code), String(error));
        const { problem, ...told } = { problem: undefined, ...error.details };
        assert.deepEqual(told, details);
        assert.equal(typeof problem, code === 'token_response_invalid' ? 'string' : 'undefined');
        return error.cause === undefined;
      });
    });
  }

  it('P12 refused for a client that the person entered, says that it is theirs', async () => {
    await assert.rejects(refresh(refusal(401, 'invalid_client'), { source: 'preregistered' }), (error) => {
      assert.ok(isOAuthError(error, 'client_rejected'));
      assert.deepEqual(error.details, { issuer, isEntered: true });
      return true;
    });
  });

  it('fails as the network does, and a fault of ours is not hidden', async () => {
    await assert.rejects(refresh(unreachable), unreachable);
    await assert.rejects(refresh(fault), fault);
  });

  it('P20 goes over http to a loopback server only', async () => {
    const { fetch, sent } = networkOf({ 'http://localhost/token': { access_token: 'AT' } });
    const options = {
      authorizationServer: { issuer: 'http://localhost', token_endpoint: 'http://localhost/token' },
      client,
      refreshToken: 'RT',
      scopes: undefined,
      resource: undefined,
    };
    await assert.rejects(refreshTokens(fetch, { ...options, reach: 'private' }));
    assert.deepEqual(sent, []);
    assert.equal((await refreshTokens(fetch, { ...options, reach: 'loopback' })).accessToken, 'AT');
    assert.deepEqual(parametersOf(sent[0]), { grant_type: 'refresh_token', refresh_token: 'RT', client_id: 'me & co' });
  });
});

describe('RFC 9449 section 8: a token request that lacks a nonce', () => {
  it('is sent again with the nonce', async () => {
    const { outcome, count } = await refreshBound([demand('n-1'), { access_token: 'AT', token_type: 'DPoP' }]);
    assert.deepEqual(outcome, { accessToken: 'AT', tokenType: 'dpop' });
    assert.equal(count, 2);
  });

  it('is sent four times at most to a server that demands another nonce each time', async () => {
    const { outcome, count } = await refreshBound(Array.from({ length: 9 }, (_, index) => demand(`n-${index}`)));
    assert.ok(isDemand(outcome), String(outcome));
    assert.equal(count, 4);
  });

  for (const [title, answers, isBound, count] of [
    ['no nonce is given', [demand()], true, 1],
    ['the nonce is the one that was sent', [demand('n-1'), demand('n-1')], true, 2],
    ['no key was promised', [demand('n-1')], false, 1],
  ] as const) {
    it(`is not sent again when ${title}`, async () => {
      const refreshed = await refreshBound(answers, isBound);
      assert.ok(isDemand(refreshed.outcome), String(refreshed.outcome));
      assert.equal(refreshed.count, count);
    });
  }

  it('P28 is not sent again when it is refused for something else, though a nonce comes with that', async () => {
    const refused = refusal(400, 'invalid_scope', undefined, { 'dpop-nonce': 'n-1' });
    const { outcome, count } = await refreshBound([refused]);
    assert.ok(isOAuthError(outcome, 'token_request_failed'), String(outcome));
    assert.equal(count, 1);
  });
});

describe('P32 Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  for (const [value, expected] of [
    [null, undefined],
    ['', undefined],
    ['  ', undefined],
    ['0', 0],
    [' 120 ', 120_000],
    ['-1', undefined],
    ['1.5x', undefined],
    ['soon', undefined],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
    ['Wed, 31 Dec 2025 23:59:00 GMT', undefined],
    ['9'.repeat(400), undefined],
  ] as const) {
    it(`${JSON.stringify(value).slice(0, 40)} is ${expected ?? 'not heeded'}`, () => {
      assert.equal(parseRetryAfter(value, now), expected);
    });
  }
});

describe('P35 revocation', () => {
  const gone = new Response(null, { status: 200 });
  const both = ['refresh_token RT', 'access_token AT'];

  it('takes the refresh token first, then the access token', async () => {
    assert.deepEqual(await revoke(gone, 'RT'), { outcome: true, tokens: both });
    assert.deepEqual(await revoke(gone, undefined), { outcome: true, tokens: ['access_token AT'] });
  });

  it('is none where the server offers none', async () => {
    const { fetch, sent } = networkOf({});
    const without = { issuer, token_endpoint: TOKEN };
    const options = {
      authorizationServer: without,
      client,
      accessToken: 'AT',
      refreshToken: 'RT',
      reach: 'public',
    } as const;
    assert.equal(await revokeTokens(fetch, options), false);
    assert.deepEqual(sent, []);
  });

  for (const [title, answers, details] of [
    ['the first', [refusal(503, 'temporarily_unavailable'), gone], { issuer, status: 503 }],
    ['the second', [gone, refusal(400, 'unsupported_token_type')], { issuer, status: 400 }],
    [
      'both, of which the first is told',
      [new Response(null, { status: 500 }), refusal(400, 'x')],
      { issuer, status: 500 },
    ],
    ['the network', unreachable, { issuer }],
    ['the client', refusal(401, 'invalid_client'), { issuer }],
  ] as const) {
    it(`that fails by ${title} has tried both`, async () => {
      const { outcome, tokens } = await revoke(answers, 'RT');
      assert.ok(isOAuthError(outcome, 'revocation_failed'), String(outcome));
      assert.deepEqual(outcome.details, details);
      assert.deepEqual(tokens, both);
    });
  }

  it('stops at a fault of ours', async () => {
    assert.deepEqual(await revoke(fault, 'RT'), { outcome: fault, tokens: ['refresh_token RT'] });
  });
});
