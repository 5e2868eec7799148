import { randomInt } from 'node:crypto';
import type { AuthorizationServer } from './authorizationServer.ts';
import { authenticateClient } from './clientAuthentication.ts';
import { oauthError, type Answer, type FaultyServerRequest } from './exchange.ts';
import type { TokenRequest } from './faultyToken.ts';
import { newSecret, type Grants } from './grants.ts';
import { issueTokens, otherResource, startFamily } from './issueTokens.ts';

/** RFC 8628 section 3.4. */
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

/** The letters that RFC 8628 section 6.1 recommends. */
const USER_CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** RFC 8628 sections 3.1 and 3.2. */
export async function answerDeviceAuthorization(
  server: AuthorizationServer,
  request: FaultyServerRequest,
): Promise<Answer> {
  const { faults, grants, issuer } = server;
  if (faults.device === undefined) return { status: 404 };
  if (request.method !== 'POST' || request.form === undefined) return { status: 405 };
  if (request.repeated.length > 0) return oauthError(400, 'invalid_request', `repeated: ${request.repeated.join(' ')}`);
  const client = await authenticateClient(server, request);
  if (client === undefined) return oauthError(401, 'invalid_client', 'The client is not known');
  if (client.grantTypes?.includes(DEVICE_CODE) === false) {
    return oauthError(400, 'unauthorized_client', 'The client was not registered for this grant');
  }
  const family = startFamily(server, client.id, request.form);
  if (family === undefined) return otherResource();

  const { intervalSeconds, expiresInSeconds, omitComplete = false, omitInterval = false } = faults.device;
  const deviceCode = newSecret('device');
  const userCode = `${userCodeHalf()}-${userCodeHalf()}`;
  const expiresAt = faults.now() + expiresInSeconds * 1000;
  grants.devices.set(deviceCode, { family, userCode, expiresAt, polls: 0, state: 'undecided' });
  const body = {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: `${issuer}/device`,
    ...(omitComplete ? {} : { verification_uri_complete: `${issuer}/device?user_code=${userCode}` }),
    expires_in: expiresInSeconds,
    ...(omitInterval ? {} : { interval: intervalSeconds }),
  };
  const sent = faults.device.body?.(body) ?? body;
  return { status: 200, body: sent, headers: { 'cache-control': 'no-store' } };
}

/** RFC 8628 section 3.5: a poll. */
export function answerDeviceCode(server: AuthorizationServer, { client, form, jkt }: TokenRequest): Answer {
  const { faults, grants } = server;
  const authorization = grants.devices.get(form['device_code'] ?? '');
  if (authorization === undefined || authorization.family.clientId !== client.id || authorization.state === 'used') {
    return oauthError(400, 'invalid_grant', 'unknown device code');
  }
  const { pending = 0, slowDowns = 0, outcome = 'wait', droppedPolls = 0 } = faults.device ?? {};
  const poll = authorization.polls++ - droppedPolls;
  if (poll < 0) return { status: 503, drop: true };
  if (authorization.expiresAt <= faults.now()) return oauthError(400, 'expired_token', 'the device code is over');
  if (poll < pending) return oauthError(400, 'authorization_pending', 'the person has not decided');
  if (poll < pending + slowDowns) return oauthError(400, 'slow_down', 'ask less often');
  if (outcome === 'expire') return oauthError(400, 'expired_token', 'the device code is over');
  const state = outcome === 'wait' ? authorization.state : outcome;
  if (state === 'undecided') return oauthError(400, 'authorization_pending', 'the person has not decided');
  if (state === 'deny' || state === 'denied') return oauthError(400, 'access_denied', 'The user said no');
  authorization.state = 'used';
  const { family } = authorization;
  return issueTokens(server, { client, family, withRefreshToken: true, jkt });
}

/** What the person says at the verification URI. Throws when nobody waits with this code. */
export function decideDevice(grantsOfServers: readonly Grants[], userCode: string, state: 'approved' | 'denied'): void {
  const all = grantsOfServers.flatMap((grants) => [...grants.devices.values()]);
  const authorization = all.find((device) => device.userCode === userCode && device.state === 'undecided');
  if (authorization === undefined) throw new Error(`no device waits with ${userCode}`);
  authorization.state = state;
}

function userCodeHalf(): string {
  return Array.from({ length: 4 }, () => USER_CODE_LETTERS[randomInt(USER_CODE_LETTERS.length)]).join('');
}
