import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  judgePollFailure,
  mendDeviceResponse,
  requestDeviceAuthorization,
  requireDeviceAuthorization,
} from '../../../src/oauth/deviceAuthorization.ts';
import { isOAuthError, OAuthError } from '../../../src/oauth/errors.ts';
import type { Reach } from '../../../src/oauth/fetchPort.ts';
import { defaultServerMetadata } from '../../../src/oauth/serverMetadata.ts';

const issuer = 'https://as.example';
const good = {
  device_code: 'secret',
  user_code: 'BCDF-GHJK',
  verification_uri: 'https://as.example/device',
  expires_in: 1800,
  interval: 7,
};

/** What a request gives when the server answers so. */
async function answered(body: unknown, { status = 200, reach = 'public' }: { status?: number; reach?: Reach } = {}) {
  return requestDeviceAuthorization(async () => Response.json(body, { status }), {
    authorizationServer: {
      issuer,
      token_endpoint: `${issuer}/token`,
      device_authorization_endpoint: `${issuer}/device_authorization`,
    },
    client: { issuer, clientId: 'c', authMethod: 'none', source: 'registered' },
    scopes: [],
    resource: undefined,
    reach,
  });
}

describe('device authorization answers', () => {
  for (const [title, changed, expected] of [
    ['as they should be', {}, { expiresInSeconds: 1800, intervalSeconds: 7 }],
    ['without interval', { interval: undefined }, { intervalSeconds: 5 }],
    ['with interval null', { interval: null }, { intervalSeconds: 5 }],
    ['with interval as text', { interval: '10' }, { intervalSeconds: 10 }],
    ['with interval as words', { interval: 'soon' }, { intervalSeconds: 5 }],
    ['with interval 0', { interval: 0 }, { intervalSeconds: 5 }],
    ['with interval below 0', { interval: -3 }, { intervalSeconds: 5 }],
    ['with interval of some ms', { interval: 0.01 }, { intervalSeconds: 1 }],
    ['with interval in ms', { interval: 5000 }, { intervalSeconds: 5 }],
    ['with the longest interval', { interval: 300 }, { intervalSeconds: 300 }],
    ['with interval as long as the life', { interval: 60, expires_in: 60 }, { intervalSeconds: 5 }],
    ['with expires_in as text', { expires_in: '600' }, { expiresInSeconds: 600 }],
    ['without expires_in', { expires_in: undefined }, { expiresInSeconds: 900 }],
    ['with expires_in null', { expires_in: null }, { expiresInSeconds: 900 }],
    ['with expires_in 0', { expires_in: 0 }, { expiresInSeconds: 900 }],
    ['with expires_in of a day', { expires_in: 86_400 }, { expiresInSeconds: 3600 }],
    ['with expires_in beyond all measure', { expires_in: 1e300 }, { expiresInSeconds: 900 }],
    [
      'with verification_url',
      { verification_uri: undefined, verification_url: 'https://as.example/activate' },
      { verificationUri: 'https://as.example/activate' },
    ],
    [
      'with verification_url_complete',
      { verification_url_complete: 'https://as.example/activate?c=1' },
      { verificationUriComplete: 'https://as.example/activate?c=1' },
    ],
    ['with verification_uri_complete null', { verification_uri_complete: null }, {}],
    ['with verification_uri_complete that is http', { verification_uri_complete: 'http://as.example/?c=1' }, {}],
    ['with a user code of several lines', { user_code: 'BC\n\u202EDF\u0007' }, { userCode: 'BC DF' }],
    ['with an endless user code', { user_code: 'B'.repeat(5000) }, { userCode: `${'B'.repeat(63)}…` }],
  ] as const) {
    it(`P33 are taken ${title}`, async () => {
      const {
        device_code: deviceCode,
        user_code: userCode,
        verification_uri: verificationUri,
        expires_in: expiresInSeconds,
        interval: intervalSeconds,
      } = good;
      const usual = { deviceCode, userCode, verificationUri, expiresInSeconds, intervalSeconds };
      const changedLife = 'expires_in' in changed && changed.expires_in === 60 ? { expiresInSeconds: 60 } : {};
      assert.deepEqual(await answered({ ...good, ...changed }), { ...usual, ...changedLife, ...expected });
    });
  }

  it('P33 are taken with status 201', async () => {
    assert.equal((await answered(good, { status: 201 })).userCode, good.user_code);
  });

  for (const [title, body, status, code] of [
    ['with 200 and an error', { error: 'invalid_client' }, 200, 'client_rejected'],
    ['with an error', { error: 'invalid_scope' }, 400, 'token_request_failed'],
    ['without a device code', { ...good, device_code: undefined }, 200, 'token_response_invalid'],
    ['with an empty device code', { ...good, device_code: '' }, 200, 'token_response_invalid'],
    ['without a user code', { ...good, user_code: null }, 200, 'token_response_invalid'],
    ['with an invisible user code', { ...good, user_code: '\u200B' }, 200, 'token_response_invalid'],
    ['without a URI', { ...good, verification_uri: undefined }, 200, 'token_response_invalid'],
    ['that are no object', ['x'], 200, 'token_response_invalid'],
    ['that are a failure', 'no', 502, 'token_request_failed'],
    [
      'with an endless URI',
      { ...good, verification_uri: `https://as.example/${'a'.repeat(5000)}` },
      200,
      'token_response_invalid',
    ],
  ] as const) {
    it(`P33 are refused ${title}`, async () => {
      await assert.rejects(answered(body, { status }), (error) => isOAuthError(error, code));
    });
  }

  for (const [uri, reach, code] of [
    ['http://as.example/device', 'public', 'insecure_url'],
    ['http://127.0.0.1:80/device', 'public', 'insecure_url'],
    ['https://127.0.0.1/device', 'public', 'address_refused'],
    ['https://10.0.0.1/device', 'public', 'address_refused'],
    ['https://user:password@as.example/device', 'public', 'insecure_url'],
    ['https://bank.example@as.example/device', 'public', 'insecure_url'],
    ['http://as.example/device', 'loopback', 'insecure_url'],
    ['javascript:alert(1)', 'loopback', 'insecure_url'],
    ['file:///etc/passwd', 'loopback', 'insecure_url'],
    ['command:workbench.action.quit', 'loopback', 'insecure_url'],
    ['as.example/device', 'loopback', 'insecure_url'],
  ] as const) {
    it(`P19 are refused with ${uri} for a ${reach} server`, async () => {
      await assert.rejects(answered({ ...good, verification_uri: uri }, { reach }), (error) =>
        isOAuthError(error, code),
      );
    });
  }

  it('P19 may name http on loopback to a loopback server', async () => {
    const uri = 'http://127.0.0.1:8080/device';
    const device = await answered({ ...good, verification_uri: uri }, { reach: 'loopback' });
    assert.equal(device.verificationUri, uri);
  });

  for (const status of [199, 300, 302, 400, 503]) {
    it(`P33 of status ${status} are none, whatever they say`, () => {
      const body = JSON.stringify({ ...good, interval: 0, error: 'none' });
      assert.deepEqual(mendDeviceResponse(status, 'application/json', body), { status, body });
    });
  }

  it('P33 of status 200 with neither code nor error are left for the judge', () => {
    const body = JSON.stringify({ user_code: 'BCDF' });
    assert.deepEqual(mendDeviceResponse(200, 'application/json', body), { status: 200, body });
  });

  it('P33 that are no JSON are left as they are', () => {
    assert.deepEqual(mendDeviceResponse(200, 'text/html', '<html>'), { status: 200, body: '<html>' });
  });
});

function failed(status: number, error?: string, retryAfterMs?: number) {
  return new OAuthError('token_request_failed', {
    issuer,
    status,
    ...(error !== undefined && { error }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

describe('polling', () => {
  for (const [title, failure, expected] of [
    ['authorization_pending', failed(400, 'authorization_pending'), { type: 'pending' }],
    ['authorization_pending with an odd status', failed(428, 'authorization_pending'), { type: 'pending' }],
    ['slow_down', failed(400, 'slow_down'), { type: 'slow_down' }],
    ['429 slow_down', failed(429, 'slow_down'), { type: 'slow_down' }],
    ['429', failed(429), { type: 'unanswered' }],
    ['500 server_error', failed(500, 'server_error'), { type: 'unanswered' }],
    ['503 with Retry-After', failed(503, undefined, 9000), { type: 'unanswered', retryAfterMs: 9000 }],
    ['no network', new OAuthError('server_unreachable', { url: issuer, failure: 'timeout' }), { type: 'unanswered' }],
  ] as const) {
    it(`goes on after ${title}`, () => assert.deepEqual(judgePollFailure(failure, issuer), expected));
  }

  for (const [title, failure, code] of [
    ['access_denied', failed(400, 'access_denied'), 'authorization_denied'],
    ['authorization_declined', failed(400, 'authorization_declined'), 'authorization_denied'],
    ['expired_token', failed(400, 'expired_token'), 'device_code_expired'],
    ['invalid_scope', failed(400, 'invalid_scope'), 'token_request_failed'],
    ['404', failed(404), 'token_request_failed'],
    ['invalid_grant', new OAuthError('grant_rejected', { issuer }), 'grant_rejected'],
    [
      'no token',
      new OAuthError('token_response_invalid', { issuer, status: 200, problem: 'x' }),
      'token_response_invalid',
    ],
  ] as const) {
    it(`ends with ${title}`, () => {
      assert.throws(
        () => judgePollFailure(failure, issuer),
        (error) => isOAuthError(error, code),
      );
    });
  }

  it('ends with the server’s words, where it has any', () => {
    for (const description of [undefined, 'not you']) {
      const told = description === undefined ? {} : { description };
      const denied = new OAuthError('token_request_failed', { issuer, status: 400, error: 'access_denied', ...told });
      assert.throws(
        () => judgePollFailure(denied, issuer),
        (error) => {
          assert.ok(isOAuthError(error, 'authorization_denied'));
          assert.deepEqual(error.details, { issuer, ...told });
          return true;
        },
      );
    }
    assert.throws(
      () => judgePollFailure(failed(400, 'expired_token'), issuer),
      (error) => isOAuthError(error, 'device_code_expired') && error.details.issuer === issuer,
    );
  });

  it('ends with what is no error of the wire', () => {
    const fault = new Error('a fault');
    assert.throws(() => judgePollFailure(fault, issuer), fault);
  });

  it('needs the endpoint, and tells what the server does instead', () => {
    const metadata = { ...defaultServerMetadata(issuer), grant_types_supported: ['authorization_code'] };
    assert.throws(
      () => requireDeviceAuthorization(metadata),
      (error) => {
        assert.ok(isOAuthError(error, 'grant_unsupported'));
        assert.deepEqual(error.details, {
          issuer,
          grantType: 'urn:ietf:params:oauth:grant-type:device_code',
          supported: ['authorization_code'],
        });
        return true;
      },
    );
    requireDeviceAuthorization({ ...metadata, device_authorization_endpoint: `${issuer}/device` });
  });
});
