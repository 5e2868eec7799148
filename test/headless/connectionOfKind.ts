import type { TestContext } from 'node:test';
import type { EnteredSecrets } from '../../src/connections/configuration.ts';
import type { ConnectionKind, ConnectionSettings } from '../../src/connections/connection.ts';
import type { Faults } from '../servers/faults.ts';
import type { FaultyServer } from '../servers/faultyServer.ts';
import { createPlainClient } from '../servers/plainClient.ts';
import { type StartOptions, startWithFaults } from './headlessManager.ts';
import { HurryingClock } from './hurryingClock.ts';
import { ecKey } from './privateKeys.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** What a person has registered by hand. */
const CLIENT = { id: 'mine', secret: 'the-secret-of-my-client' } as const;
const KEY_CLIENT = { id: 'mine-by-key', key: ecKey() } as const;

/** What a person enters for a connection of one kind. */
export interface Entry {
  readonly settings: ConnectionSettings;
  readonly entered: EnteredSecrets;
}

/** A server that takes every kind of connection, with the ways of its faults. */
export async function startForKinds(t: TestContext, faults: Partial<Faults> = {}, options: StartOptions = {}) {
  const clock = new HurryingClock();
  const all: Partial<Faults> = {
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', JWT_BEARER],
    authMethods: ['none', 'client_secret_basic', 'private_key_jwt'],
    device: { intervalSeconds: 1, expiresInSeconds: 600, pending: 1, slowDowns: 0, outcome: 'approve' },
    idpAuthMethod: 'client_secret_post',
    idJagClientId: CLIENT.id,
    // Tokens that never end set no timer.
    expiresIn: undefined,
    ...faults,
  };
  const { server, headless } = await startWithFaults(t, all, { clock, ...options });
  server.addClient({ ...CLIENT, authMethod: 'client_secret_basic' });
  const jwks = { keys: [KEY_CLIENT.key.publicJwk] };
  server.addClient({ id: KEY_CLIENT.id, authMethod: 'private_key_jwt', jwks });
  // A device code is waited for, and nothing else.
  clock.isHurried = () =>
    headless.manager.connections.some(({ kind, state }) => kind === 'device_code' && state.type === 'authorizing');
  return { server, headless, manager: headless.manager, clock };
}

/** What there is to enter for this kind: nothing where the person signs in. */
export async function entryFor(
  server: FaultyServer,
  kind: ConnectionKind,
  proof: 'secret' | 'key' = 'secret',
): Promise<Entry> {
  const { issuer, identityProvider: provider } = server;
  const client = { issuer, clientId: proof === 'key' ? KEY_CLIENT.id : CLIENT.id };
  const proven = proof === 'key' ? { privateKey: KEY_CLIENT.key.pem } : { clientSecret: CLIENT.secret };
  switch (kind) {
    case 'authorization_code':
    case 'device_code':
      return { settings: {}, entered: {} };
    case 'client_credentials':
      return { settings: { client }, entered: proven };
    case 'workload_identity':
      return { settings: { client }, entered: { ...proven, assertion: await server.workloadAssertion() } };
    case 'enterprise_managed': {
      const { clientId, clientSecret = '' } = provider;
      return {
        settings: { client, identityProvider: { issuer: provider.issuer, clientId } },
        entered: { ...proven, identityProvider: { clientSecret, idToken: await provider.idToken() } },
      };
    }
    case 'static_token':
      return { settings: {}, entered: { accessToken: (await createPlainClient(server).signIn()).access_token } };
  }
}
