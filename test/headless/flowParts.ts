import assert from 'node:assert/strict';
import type { Connection } from '../../src/connections/connection.ts';
import type { FlowPorts, FlowRequest } from '../../src/connections/flows/flow.ts';
import type { AuthorizationServerMetadata } from '../../src/oauth/serverMetadata.ts';
import { ManualClock } from './memoryPorts.ts';

export const ISSUER = 'https://as.example';
export const SERVER_URL = 'https://example.com/mcp';

/** An authorization server with the usual endpoints. */
export const metadata: AuthorizationServerMetadata = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  registration_endpoint: `${ISSUER}/register`,
};

/** A connection that nobody has signed in to. */
export function newConnection(more: Partial<Connection> = {}): Connection {
  return {
    id: 'c',
    name: 'c',
    slug: 'c',
    serverUrl: SERVER_URL,
    kind: 'authorization_code',
    requested: [],
    challenged: [],
    settings: {},
    state: { type: 'disconnected' },
    ...more,
  };
}

const unused = async (): Promise<never> => assert.fail('not to be called');

/** What a flow needs of the outside, none of which is there unless given. */
export function flowPorts(more: Partial<FlowPorts> = {}): FlowPorts {
  return {
    fetch: unused,
    resolveReach: async () => 'public',
    prepareRedirect: unused,
    readAssertion: unused,
    clock: new ManualClock(1000),
    software: { name: 'Test', softwareId: 'id', version: '1' },
    ...more,
  };
}

/** A sign-in at {@link metadata}, of which nothing is stored yet; it has no person unless given. */
export function flowRequest(more: Partial<FlowRequest> = {}): FlowRequest {
  return {
    connection: newConnection(),
    secret: undefined,
    discovery: {
      resource: SERVER_URL,
      authorizationServer: metadata,
      metadataSource: 'published',
      issuers: [ISSUER],
    },
    reach: 'public',
    scopes: ['a'],
    resource: undefined,
    dpop: undefined,
    suspect: undefined,
    onClientRejected: () => assert.fail('no client is refused'),
    keepClient: async () => undefined,
    withCredentials: unused,
    signal: new AbortController().signal,
    onStep: () => undefined,
    awaitCallback: unused,
    showDevice: unused,
    ...more,
  };
}
