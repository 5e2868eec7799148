import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuthorizationCodes } from '../../../src/gateway/authorization/authorizationCodes.ts';
import { CHALLENGE, REDIRECT_URI, VERIFIER } from '../../headless/gatewayClient.ts';
import { createRegistryFixture } from '../../headless/localAccess.ts';

describe('an authorization code', () => {
  it('P38 that comes twice before the first is answered leaves nothing', async () => {
    const { clock, registry } = await createRegistryFixture();
    const codes = new AuthorizationCodes(registry.grants, clock);
    const code = codes.issue({
      clientId: 'a-client',
      clientName: 'Client',
      connection: 'notes',
      allowedTools: '*',
      redirectUri: REDIRECT_URI,
      challenge: CHALLENGE,
    });
    const redemption = { code, clientId: 'a-client', verifier: VERIFIER, isTarget: () => true };
    const results = await Promise.all([codes.redeem(redemption), codes.redeem(redemption)]);
    assert.deepEqual(
      results.map(({ type }) => type),
      ['issued', 'refused'],
    );
    assert.deepEqual(registry.accesses, []);
  });
});
