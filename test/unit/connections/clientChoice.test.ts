import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Connection, ConnectionSettings } from '../../../src/connections/connection.ts';
import type { ConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import {
  configuredClient,
  documentClient,
  ownClient,
  withClient,
} from '../../../src/connections/flows/clientChoice.ts';
import type { FlowPorts, FlowRequest } from '../../../src/connections/flows/flow.ts';
import type { Client } from '../../../src/oauth/client.ts';
import { isOAuthError, OAuthError } from '../../../src/oauth/errors.ts';
import type { AuthorizationServerMetadata } from '../../../src/oauth/serverMetadata.ts';
import { flowPorts, flowRequest, ISSUER, metadata, newConnection } from '../../headless/flowParts.ts';

const DOCUMENT = 'https://client.example/metadata.json';
const withDocuments = { ...metadata, client_id_metadata_document_supported: true };
const mine = { issuer: ISSUER, clientId: 'mine' };
const document: Client = { issuer: ISSUER, clientId: DOCUMENT, authMethod: 'none', source: 'metadata_document' };

function connection(settings: ConnectionSettings = {}): Connection {
  return newConnection({ settings });
}

function secret(more: Partial<ConnectionSecret>): ConnectionSecret {
  return { version: 1, generation: 1, serverUrl: 'https://example.com/mcp', ...more };
}

const refused = (error: unknown): boolean => isOAuthError(error, 'registration_refused');
const unreachable = new OAuthError('server_unreachable', { url: ISSUER, failure: 'dns' });
const offline = async (): Promise<Response> => Promise.reject(unreachable);

/** A client that was registered, good for the redirect URI and scopes of these tests unless said otherwise. */
function registered(clientId: string, more: Partial<Client> = {}): Client {
  const redirectUris = ['http://127.0.0.1:1/callback'];
  return { issuer: ISSUER, clientId, authMethod: 'none', source: 'registered', redirectUris, ...more };
}

let ports: FlowPorts;
let request: FlowRequest;
/** How the registration endpoint answers: with a client of that ID, or a status. */
let registration: string | number;
let registrations: unknown[];
let steps: string[];
let rejected: string[];
let kept: string[];
/** The client IDs that were tried. */
let tried: string[];
/** What an attempt with a client fails with. */
let failures: Map<string, unknown>;

beforeEach(() => {
  registration = 'new';
  registrations = [];
  [steps, rejected, kept, tried] = [[], [], [], []];
  failures = new Map();
  ports = flowPorts({
    fetch: async (url, { body }) => {
      registrations.push([url, JSON.parse(body ?? '')]);
      return typeof registration === 'string'
        ? Response.json({ client_id: registration }, { status: 201 })
        : Response.json({ error: 'access_denied' }, { status: registration });
    },
  });
  request = flowRequest({
    onClientRejected: (clientId) => void rejected.push(clientId),
    keepClient: async ({ clientId }) => void kept.push(clientId),
    onStep: (step) => void steps.push(step),
  });
});

/** Tries with the client that is chosen. Gives its ID. */
async function choose(changed: Partial<FlowRequest> = {}, changedPorts: Partial<FlowPorts> = {}): Promise<string> {
  return withClient(
    { ...ports, ...changedPorts },
    { ...request, ...changed },
    async () => ({ redirectUri: 'http://127.0.0.1:1/callback' }),
    async ({ clientId }) => {
      tried.push(clientId);
      if (failures.has(clientId)) throw failures.get(clientId);
      return clientId;
    },
  );
}

function at(authorizationServer: AuthorizationServerMetadata): Pick<FlowRequest, 'discovery'> {
  return { discovery: { ...request.discovery, authorizationServer } };
}

describe('P8 the client of the person’s own', () => {
  const stored = { ...mine, clientSecret: 's' };

  it('is none where none is set', () => {
    assert.equal(configuredClient(connection(), secret({ configuredClient: stored }), metadata), undefined);
  });

  it('P11 is for its issuer', () => {
    const client = { ...mine, issuer: 'https://other.example' };
    assert.throws(
      () => configuredClient(connection({ client }), undefined, metadata),
      (error) => {
        assert.ok(isOAuthError(error, 'client_issuer_mismatch'));
        assert.deepEqual(error.details, { issuer: ISSUER, configuredIssuer: 'https://other.example' });
        return true;
      },
    );
  });

  for (const [title, entered, methods, expected] of [
    ['no secret', undefined, undefined, { authMethod: 'none' }],
    ['a secret', stored, undefined, { clientSecret: 's', authMethod: 'client_secret_basic' }],
    ['a secret for the body', stored, ['client_secret_post'], { clientSecret: 's', authMethod: 'client_secret_post' }],
    ['P11 a secret of another client', { ...stored, clientId: 'other' }, undefined, { authMethod: 'none' }],
    ['P11 a secret of another issuer', { ...stored, issuer: 'https://o.example' }, undefined, { authMethod: 'none' }],
  ] as const) {
    it(`with ${title} is ${expected.authMethod}`, () => {
      const document = secret(entered === undefined ? {} : { configuredClient: entered });
      const server = { ...metadata, ...(methods && { token_endpoint_auth_methods_supported: [...methods] }) };
      assert.deepEqual(configuredClient(connection({ client: mine }), document, server), {
        ...mine,
        source: 'preregistered',
        ...expected,
      });
    });
  }

  it('with a key signs with it', () => {
    const privateKey = { algorithm: 'ES256', jwk: { kty: 'EC', crv: 'P-256' } };
    const document = secret({ configuredClient: { ...stored, privateKey } });
    const client = configuredClient(connection({ client: mine }), document, metadata);
    assert.deepEqual(client, { ...mine, source: 'preregistered', privateKey, authMethod: 'private_key_jwt' });
  });

  it('is used, and is never replaced by a registered one', async () => {
    const changed = { connection: connection({ client: mine }), ...at(withDocuments) };
    assert.equal(await choose(changed, { clientMetadataUrl: () => DOCUMENT }), 'mine');
    const failure = new OAuthError('client_rejected', { issuer: ISSUER });
    failures.set('mine', failure);
    await assert.rejects(choose(changed), failure);
    assert.deepEqual([registrations, rejected], [[], []]);
  });
});

describe('P8 a client metadata document', () => {
  for (const [title, server, clientMetadataUrl, expected] of [
    ['is the client', withDocuments, () => DOCUMENT, document],
    ['is of no use where the server says nothing of it', metadata, () => DOCUMENT, undefined],
    [
      'is of no use where the server takes none',
      { ...metadata, client_id_metadata_document_supported: false },
      () => DOCUMENT,
      undefined,
    ],
    ['is none where none is set', withDocuments, () => undefined, undefined],
    ['is none where none can be', withDocuments, undefined, undefined],
  ] as const) {
    it(title, () => assert.deepEqual(documentClient({ ...ports, clientMetadataUrl }, server), expected));
  }

  it('is used before what is stored, unless it led to nothing and one can register', async () => {
    const changed = { ...at(withDocuments), secret: secret({ clients: [registered('stored')] }) };
    const documents = { clientMetadataUrl: () => DOCUMENT };
    assert.equal(await choose(changed, documents), DOCUMENT);
    const suspect = { clientId: DOCUMENT, isRejected: false };
    assert.equal(await choose({ ...changed, suspect }, documents), 'stored');
    assert.equal(await choose({ ...changed, suspect: { ...suspect, clientId: 'other' } }, documents), DOCUMENT);
    const { registration_endpoint: _, ...closed } = withDocuments;
    assert.equal(await choose({ ...changed, suspect, ...at(closed) }, documents), DOCUMENT);
  });

  it('serves for a grant that nobody registers for, after the person’s own client', () => {
    const own = { ...request, ...at(withDocuments) };
    const documents = { ...ports, clientMetadataUrl: () => DOCUMENT };
    assert.deepEqual(ownClient(documents, own), document);
    assert.equal(ownClient(documents, { ...own, connection: connection({ client: mine }) }).clientId, 'mine');
    assert.throws(
      () => ownClient(ports, own),
      (error) => {
        assert.ok(isConnectionError(error, 'credentials_missing'));
        assert.deepEqual(error.details, { missing: 'client', issuer: ISSUER });
        return true;
      },
    );
  });
});

describe('P12 P18a a registration that is stored', () => {
  it('is used, the newest one, without a word', async () => {
    const clients = [registered('older'), registered('newer')];
    assert.equal(await choose({ secret: secret({ clients }) }), 'newer');
    assert.deepEqual([registrations, steps, kept], [[], [], []]);
    assert.equal(await choose({ secret: secret({}) }), 'new');
  });

  for (const [title, more] of [
    ['of another issuer', { issuer: 'https://other.example' }],
    ['for another redirect URI', { redirectUris: ['http://127.0.0.1:2/callback'] }],
    ['for other scopes', { scopes: ['b'] }],
    ['whose secret has ended', { secretExpiresAt: 1000 }],
  ] as const satisfies readonly (readonly [string, Partial<Client>])[]) {
    it(`is not used ${title}`, async () => {
      const clients = [registered('good'), registered('bad', more)];
      assert.equal(await choose({ secret: secret({ clients }) }), 'good');
      assert.equal(await choose({ secret: secret({ clients: clients.slice(1) }) }), 'new');
    });
  }

  it('is not used when it led to nothing', async () => {
    const clients = [registered('older'), registered('newer')];
    const suspect = { clientId: 'newer', isRejected: false };
    assert.equal(await choose({ secret: secret({ clients }), suspect }), 'older');
    assert.equal(await choose({ secret: secret({ clients: clients.slice(1) }), suspect }), 'new');
  });

  it('is used all the same when the server registers nobody now, but not one that it refuses', async () => {
    const stored = secret({ clients: [registered('other', { scopes: ['b'] }), registered('suspect')] });
    const suspect = { clientId: 'suspect', isRejected: false };
    for (registration of [403, 429, 503]) {
      assert.equal(await choose({ secret: stored, suspect }), 'suspect');
    }
    const { registration_endpoint: _, ...closed } = metadata;
    assert.equal(await choose({ secret: stored, suspect, ...at(closed) }), 'suspect');
    assert.equal(await choose({ secret: stored, suspect }, { fetch: offline }), 'suspect');
    tried = [];
    await assert.rejects(choose({ secret: stored, suspect: { ...suspect, isRejected: true } }), refused);
    await assert.rejects(choose({ secret: secret({ clients: [registered('o', { scopes: ['b'] })] }) }), refused);
    const gone = new Error('the connection is gone');
    registration = 'new';
    const keepClient = async (): Promise<void> => Promise.reject(gone);
    await assert.rejects(choose({ secret: stored, suspect, keepClient }), gone);
    assert.deepEqual(tried, []);
  });

  for (const [title, failure, isUnknown] of [
    ['the server does not know it', new OAuthError('client_rejected', { issuer: ISSUER }), true],
    ['it is unauthorized', failed('unauthorized_client'), true],
    ['it is invalid', failed('invalid_client'), true],
    ['the server fails', failed('server_error'), false],
    ['the person denies', new OAuthError('authorization_denied', { issuer: ISSUER }), false],
    ['the token request fails', requestFailed('invalid_client'), false],
  ] as const) {
    it(`gives way to ${isUnknown ? 'a new one' : 'no other'} when ${title}`, async () => {
      failures.set('stored', failure);
      const choice = choose({ secret: secret({ clients: [registered('stored')] }) });
      if (isUnknown) assert.equal(await choice, 'new');
      else await assert.rejects(choice, failure);
      assert.deepEqual(tried, isUnknown ? ['stored', 'new'] : ['stored']);
      assert.deepEqual(rejected, isUnknown ? ['stored'] : []);
    });
  }

  it('gives way once: a new one that the server does not know either is the end', async () => {
    const failure = new OAuthError('client_rejected', { issuer: ISSUER });
    failures.set('stored', failure).set('new', failure);
    await assert.rejects(choose({ secret: secret({ clients: [registered('stored')] }) }), failure);
    assert.deepEqual(tried, ['stored', 'new']);
    tried = [];
    await assert.rejects(choose(), failure);
    assert.deepEqual(tried, ['new']);
  });
});

function failed(error: string): OAuthError {
  return new OAuthError('authorization_failed', { issuer: ISSUER, error });
}

function requestFailed(error: string): OAuthError {
  return new OAuthError('token_request_failed', { issuer: ISSUER, status: 400, error });
}

describe('P9 P10 a new registration', () => {
  it('is for what is asked for and what may be demanded later, is kept, and is told as a step', async () => {
    const resourceMetadata = { resource: 'https://example.com/mcp', scopes_supported: ['b', 'a'] };
    assert.equal(await choose({ discovery: { ...request.discovery, resourceMetadata } }), 'new');
    const [sent] = registrations;
    assert.ok(Array.isArray(sent));
    assert.equal(sent[0], `${ISSUER}/register`);
    assert.equal(sent[1].scope, 'a b');
    assert.deepEqual(sent[1].redirect_uris, ['http://127.0.0.1:1/callback']);
    assert.deepEqual([steps, kept], [['registering'], ['new']]);
    await choose();
    const [, again] = registrations;
    assert.ok(Array.isArray(again));
    assert.equal(again[1].scope, 'a');
  });

  for (const [metadataSource, code] of [
    ['default', 'authorization_server_not_found'],
    ['published', 'registration_refused'],
  ] as const) {
    it(`P4 that is refused at endpoints of the ${metadataSource} is ${code}`, async () => {
      registration = 404;
      await assert.rejects(choose({ discovery: { ...request.discovery, metadataSource } }), (error) => {
        assert.ok(isOAuthError(error, code));
        if (isOAuthError(error, 'authorization_server_not_found')) {
          const outcome = { url: `${ISSUER}/register`, outcome: 404 };
          assert.deepEqual(error.details, { issuers: [ISSUER], tried: [outcome] });
        }
        return true;
      });
    });
  }

  it('P4 that fails at guessed endpoints for another reason is that reason', async () => {
    const discovery = { ...request.discovery, metadataSource: 'default' } as const;
    await assert.rejects(choose({ discovery }, { fetch: offline }), unreachable);
  });
});
