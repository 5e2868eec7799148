import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client } from '../../../src/oauth/client.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import type { FetchRequest } from '../../../src/oauth/fetchPort.ts';
import { deleteRegistration, judgeManagement } from '../../../src/oauth/registrationManagement.ts';
import { defaultServerMetadata } from '../../../src/oauth/serverMetadata.ts';

const issuer = 'https://as.example/tenant';
const client: Client = {
  issuer,
  clientId: 'c',
  authMethod: 'none',
  source: 'registered',
  management: { uri: 'https://as.example/register/c', accessToken: 'rat' },
};

/** Deletes at a server that answers so; gives what came of it and what was sent. */
async function deleted(status: number, of: Client = client, headers: Record<string, string> = {}) {
  const sent: { url: string; request: FetchRequest }[] = [];
  const isDeleted = deleteRegistration(
    async (url, request) => {
      sent.push({ url, request });
      return new Response(null, { status, headers });
    },
    of,
    'public',
  );
  return { isDeleted, sent };
}

describe('the management URI of a registration', () => {
  const metadata = { ...defaultServerMetadata(issuer), registration_endpoint: 'https://register.example/clients' };
  for (const [title, uri, isKept] of [
    ['at the issuer', 'https://as.example/register/c?tenant=1', true],
    ['at the registration endpoint', 'https://register.example/clients/c', true],
    ['elsewhere', 'https://api.example/repos/c', false],
    ['at a host below the issuer', 'https://evil.as.example/c', false],
    ['at another port', 'https://as.example:8443/c', false],
    ['at the issuer over http', 'http://as.example/register/c', false],
    ['with the issuer as user info', 'https://as.example@api.example/c', false],
    ['of another scheme', 'file:///register/c', false],
    ['without an origin', '/register/c', false],
  ] as const) {
    it(`P12 is ${isKept ? 'used' : 'not used'} ${title}`, () => {
      assert.deepEqual(judgeManagement(uri, 'rat', metadata), isKept ? { uri, accessToken: 'rat' } : undefined);
    });
  }

  it('P12 is of no use without its token, nor the token without it', () => {
    assert.equal(judgeManagement('https://as.example/c', undefined, metadata), undefined);
    assert.equal(judgeManagement(undefined, 'rat', metadata), undefined);
  });

  it('P12 needs no registration endpoint', () => {
    const { registration_endpoint: _, ...rest } = metadata;
    assert.ok(judgeManagement('https://as.example/c', 'rat', rest));
  });
});

describe('deleting a registration', () => {
  for (const status of [204, 200, 202, 401, 404]) {
    it(`P12 has worked with ${status}`, async () => {
      const { isDeleted, sent } = await deleted(status);
      assert.equal(await isDeleted, true);
      assert.deepEqual(sent, [
        {
          url: 'https://as.example/register/c',
          request: {
            method: 'DELETE',
            headers: { accept: 'application/json', authorization: 'Bearer rat' },
            reach: 'public',
          },
        },
      ]);
    });
  }

  for (const status of [302, 307, 308, 400, 403, 405, 429, 500, 503]) {
    it(`P12 P36 has failed with ${status}, and the token goes nowhere else`, async () => {
      const { isDeleted, sent } = await deleted(status, client, { location: 'https://evil.example/' });
      await assert.rejects(isDeleted, (error) => {
        assert.ok(isOAuthError(error, 'registration_refused'));
        assert.deepEqual(error.details, { issuer, status, error: 'not_deleted' });
        return true;
      });
      assert.equal(sent.length, 1);
    });
  }

  it('P12 is not tried without management', async () => {
    const { management: _, ...unmanaged } = client;
    const { isDeleted, sent } = await deleted(204, unmanaged);
    assert.equal(await isDeleted, false);
    assert.deepEqual(sent, []);
  });

  for (const [uri, code] of [
    ['http://as.example/register/c', 'insecure_url'],
    ['https://user:password@as.example/register/c', 'insecure_url'],
    ['https://192.168.0.1/register/c', 'address_refused'],
    ['nonsense', 'insecure_url'],
  ] as const) {
    it(`P20 P36 sends no token to ${uri}`, async () => {
      const { isDeleted, sent } = await deleted(204, { ...client, management: { uri, accessToken: 'rat' } });
      await assert.rejects(isDeleted, (error) => isOAuthError(error, code));
      assert.deepEqual(sent, []);
    });
  }
});
