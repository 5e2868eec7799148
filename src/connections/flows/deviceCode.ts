import {
  DEVICE_CODE_GRANT,
  type DeviceAuthorization,
  pollDeviceAuthorization,
  requestDeviceAuthorization,
  requireDeviceAuthorization,
} from '../../oauth/deviceAuthorization.ts';
import { OAuthError } from '../../oauth/errors.ts';
import type { TokenAnswer, TokenRequest } from '../../oauth/token.ts';
import { deferred } from '../deferred.ts';
import type { Clock } from '../ports.ts';
import { withClient } from './clientChoice.ts';
import type { Flow, FlowPorts } from './flow.ts';

/** RFC 8628 section 3.5. */
const SLOW_DOWN_MS = 5000;
/** A server that cannot be asked is asked so often at least, or as often as it wishes. */
const LONGEST_BACKOFF_MS = 60_000;

/**
 * The person enters a code on another device (RFC 8628).
 * Throws `grant_unsupported`, `authorization_denied`, `device_code_expired`, `insecure_url`, and what registration
 * and the endpoints throw.
 */
export const authorizeDevice: Flow = async (ports, request) => {
  const { discovery, dpop, onStep, reach, resource, scopes, signal } = request;
  const { authorizationServer } = discovery;
  requireDeviceAuthorization(authorizationServer);
  return withClient(
    ports,
    request,
    async () => ({ grantType: DEVICE_CODE_GRANT }),
    async (client) => {
      const target = { authorizationServer, client, reach, dpop, resource };
      const device = await requestDeviceAuthorization(ports.fetch, { ...target, scopes });
      const { userCode, verificationUri, verificationUriComplete } = device;
      const expiresAt = ports.clock.now() + device.expiresInSeconds * 1000;
      const prompt = {
        userCode,
        verificationUri,
        ...(verificationUriComplete !== undefined && { verificationUriComplete }),
        expiresAt,
      };
      const answer = await request.showDevice(prompt, async () =>
        pollUntilDecided(ports, target, { ...device, expiresAt }, signal),
      );
      onStep('exchanging');
      return { answer, ...target };
    },
  );
};

/**
 * Asks in the server's interval until the person has decided or the code ends (RFC 8628 section 3.5): `slow_down`
 * makes the interval longer for good, a server that cannot be asked is asked less and less often.
 * Throws `device_code_expired`, the signal's reason, and what {@link pollDeviceAuthorization} throws.
 */
async function pollUntilDecided(
  { clock, fetch }: Pick<FlowPorts, 'clock' | 'fetch'>,
  target: Omit<TokenRequest, 'scopes'>,
  { deviceCode, expiresAt, intervalSeconds }: DeviceAuthorization & { readonly expiresAt: number },
  signal: AbortSignal,
): Promise<TokenAnswer> {
  let intervalMs = intervalSeconds * 1000;
  let delayMs = intervalMs;
  for (;;) {
    const leftMs = Math.max(expiresAt - clock.now(), 0);
    await pause(clock, Math.min(delayMs, leftMs), signal);
    if (delayMs > leftMs) throw new OAuthError('device_code_expired', { issuer: target.authorizationServer.issuer });
    const poll = await pollDeviceAuthorization(fetch, { ...target, deviceCode });
    switch (poll.type) {
      case 'decided':
        return poll.answer;
      case 'pending':
        delayMs = intervalMs;
        break;
      case 'slow_down':
        intervalMs += SLOW_DOWN_MS;
        delayMs = intervalMs;
        break;
      case 'unanswered':
        delayMs = Math.max(intervalMs, Math.min(delayMs * 2, LONGEST_BACKOFF_MS), poll.retryAfterMs ?? 0);
    }
  }
}

/** Resolves when the time has passed; rejects with the signal's reason when that comes first. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = deferred<void>();
  const cancel = (): void => reject(signal.reason);
  signal.addEventListener('abort', cancel);
  const timer = clock.after(ms, () => resolve());
  try {
    await promise;
  } finally {
    timer.dispose();
    signal.removeEventListener('abort', cancel);
  }
}
