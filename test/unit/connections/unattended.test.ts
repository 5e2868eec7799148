import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectionSettings } from '../../../src/connections/connection.ts';
import { asScopekeeperError, isConnectionError } from '../../../src/connections/errors.ts';
import { fetchOf } from '../../../src/connections/fetchOf.ts';
import { mayBeGrantedLater, unattendedGrant } from '../../../src/connections/flows/unattended.ts';
import type { FetchRequest } from '../../../src/oauth/fetchPort.ts';
import { isOAuthError, OAuthError } from '../../../src/oauth/errors.ts';
import { flowPorts, ISSUER, metadata, newConnection } from '../../headless/flowParts.ts';

const client = { issuer: ISSUER, clientId: 'mine' };
const idp = { issuer: 'https://idp.example', clientId: 'us' };

/** Asks for tokens with a workload's identity token. Gives what was sent as such, or the error. */
async function ask(settings: ConnectionSettings, pasted?: string, error?: string): Promise<unknown> {
  const grant = unattendedGrant('workload_identity') ?? assert.fail();
  let sent: unknown;
  const ports = flowPorts({
    readAssertion: async (path) => `read from ${path}`,
    fetch: async (_url, { body }) => {
      sent = new URLSearchParams(body).get('assertion');
      return error === undefined
        ? Response.json({ access_token: 'at', token_type: 'bearer' })
        : Response.json({ error }, { status: 400 });
    },
  });
  const connection = newConnection({ kind: 'workload_identity', settings });
  const credentials = pasted === undefined ? {} : { credentials: { assertion: pasted } };
  const request = {
    connection,
    secret: { version: 1, generation: 1, serverUrl: connection.serverUrl, ...credentials } as const,
    authorizationServer: metadata,
    client: { ...client, authMethod: 'none', source: 'preregistered' } as const,
    reach: 'public' as const,
    scopes: [],
    resource: undefined,
    withCredentials: async () => assert.fail(),
  };
  return grant(ports, request).then(() => sent, asScopekeeperError);
}

describe('SEP-1933 the identity token of a workload', () => {
  it('P11 is what was pasted, or is in the file, for the issuer that it was entered for', async () => {
    assert.equal(await ask({ client }, 'pasted'), 'pasted');
    assert.equal(await ask({ assertionIssuer: ISSUER }, 'pasted'), 'pasted');
    assert.equal(await ask({ assertionIssuer: ISSUER, assertionFile: '/t' }, 'pasted'), 'read from /t');
  });

  for (const [title, settings, details] of [
    ['whose issuer nobody entered', { assertionFile: '/t' }, { missing: 'assertion', issuer: ISSUER }],
    ['that nobody entered', { assertionIssuer: ISSUER }, { missing: 'assertion' }],
  ] as const) {
    it(`is missing: one ${title}`, async () => {
      const error = await ask(settings);
      assert.ok(isConnectionError(error, 'credentials_missing'));
      assert.deepEqual(error.details, details);
    });
  }

  for (const settings of [{ assertionIssuer: idp.issuer }, { assertionIssuer: idp.issuer, client }, { client: idp }]) {
    it(`P11 goes to no other issuer: ${JSON.stringify(settings)}`, async () => {
      const error = await ask(settings, 'pasted');
      assert.ok(isOAuthError(error, 'client_issuer_mismatch'));
      assert.deepEqual(error.details, { issuer: ISSUER, configuredIssuer: idp.issuer, of: 'assertion' });
    });
  }

  it('P32 that is refused says where it is from; another error does not', async () => {
    const ofPasted = await ask({ client }, 'pasted', 'invalid_grant');
    assert.ok(isOAuthError(ofPasted, 'grant_rejected') && ofPasted.details.of === 'assertion');
    const ofFile = await ask({ client, assertionFile: '/t' }, undefined, 'invalid_grant');
    assert.ok(isOAuthError(ofFile, 'grant_rejected') && ofFile.details.of === 'assertion_file');
    assert.ok(isOAuthError(await ask({ client }, 'pasted', 'invalid_scope'), 'token_request_failed'));
  });
});

function rejected(issuer: string, of?: 'assertion' | 'assertion_file'): OAuthError<'grant_rejected'> {
  return new OAuthError('grant_rejected', { issuer, ...(of !== undefined && { of }) });
}

describe('P32 what was refused', () => {
  for (const [title, kind, error, isExpected] of [
    ['to a client of one’s own', 'client_credentials', rejected(ISSUER), true],
    ['of a file that is replaced', 'workload_identity', rejected(ISSUER, 'assertion_file'), true],
    ['of what was pasted', 'workload_identity', rejected(ISSUER, 'assertion'), false],
    ['by the server of what a company manages', 'enterprise_managed', rejected(ISSUER), true],
    ['by the company’s provider', 'enterprise_managed', rejected(idp.issuer), false],
    ['by that provider to a client of one’s own', 'client_credentials', rejected(idp.issuer), true],
    ['to a person', 'authorization_code', rejected(ISSUER), false],
    ['for another reason', 'client_credentials', new OAuthError('identity_ended', { issuer: ISSUER }), false],
  ] as const) {
    it(`${title} may ${isExpected ? '' : 'not '}be granted later`, () => {
      const connection = newConnection({ kind, settings: { identityProvider: idp } });
      assert.equal(mayBeGrantedLater(connection, error), isExpected);
    });
  }

  it('by the server of a company that named no provider may be granted later', () => {
    assert.equal(mayBeGrantedLater(newConnection({ kind: 'enterprise_managed' }), rejected(ISSUER)), true);
  });
});

describe('the certificates that a person has set', () => {
  it('go with every request of the connection, and are missing where none are set', async () => {
    const requests: FetchRequest[] = [];
    const fetch = async (_url: string, request: FetchRequest): Promise<Response> => {
      requests.push(request);
      return new Response();
    };
    const request: FetchRequest = { method: 'GET', reach: 'public' };
    await fetchOf(fetch, { caFile: '/ca.pem' })(ISSUER, request);
    await fetchOf(fetch, {})(ISSUER, request);
    assert.deepEqual(requests, [{ ...request, caFile: '/ca.pem' }, request]);
  });
});
