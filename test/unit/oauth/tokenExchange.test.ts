import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnsecuredJWT } from 'jose';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { requestIdJag } from '../../../src/oauth/tokenExchange.ts';

const AUDIENCE = 'https://as.example';
const RESOURCE = 'https://mcp.example/mcp';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';

/** Asks a provider that answers this, and gives the ID-JAG. */
async function idJagFrom(answer: Record<string, unknown>): Promise<string> {
  const issuer = 'https://idp.example';
  return requestIdJag(async () => Response.json({ token_type: 'N_A', expires_in: 300, ...answer }), {
    authorizationServer: { issuer, token_endpoint: `${issuer}/token` },
    client: { issuer, clientId: 'c', authMethod: 'none', source: 'preregistered' },
    reach: 'public',
    idToken: 'id-token',
    audience: AUDIENCE,
    resource: RESOURCE,
    scopes: ['a'],
  });
}

const jwt = (claims: Record<string, unknown>): string => new UnsecuredJWT(claims).encode();

describe('SEP-990 an ID-JAG', () => {
  for (const [name, answer] of [
    ['for this server', { access_token: jwt({ aud: AUDIENCE, resource: RESOURCE }), issued_token_type: ID_JAG }],
    [
      'for this server among others',
      { access_token: jwt({ aud: ['https://x', AUDIENCE] }), issued_token_type: ID_JAG },
    ],
    ['for any resource', { access_token: jwt({ aud: AUDIENCE }) }],
    ['that only its server can read', { access_token: 'opaque', issued_token_type: ID_JAG }],
  ] as const) {
    it(`${name} is taken`, async () => assert.equal(await idJagFrom(answer), answer.access_token));
  }

  for (const [name, answer, problem] of [
    ['of another type', { access_token: 'x', issued_token_type: 'urn:x' }, 'issued_token_type'],
    ['for another server', { access_token: jwt({ aud: 'https://other.example' }), issued_token_type: ID_JAG }, 'aud'],
    ['for a server that is spelt otherwise', { access_token: jwt({ aud: `${AUDIENCE}/` }) }, 'aud'],
    ['for another resource', { access_token: jwt({ aud: AUDIENCE, resource: 'https://o.example' }) }, 'resource'],
    ['for other resources', { access_token: jwt({ aud: AUDIENCE, resource: ['https://o.example'] }) }, 'resource'],
  ] as const) {
    it(`P11 ${name} is refused and goes nowhere`, async () => {
      await assert.rejects(idJagFrom(answer), (error) => {
        assert.ok(isOAuthError(error, 'token_response_invalid'));
        assert.equal(error.details.problem, problem);
        assert.ok(!JSON.stringify(error).includes(answer.access_token.slice(0, 20)) || answer.access_token === 'x');
        return true;
      });
    });
  }
});
