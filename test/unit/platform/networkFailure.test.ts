import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkFailureOf } from '../../../src/platform/networkFailure.ts';
import { ProxyFailure } from '../../../src/platform/sendRequest.ts';

describe('networkFailureOf', () => {
  const table = {
    dns: ['ENOTFOUND', 'EAI_AGAIN'],
    refused: ['ECONNREFUSED'],
    timeout: ['ETIMEDOUT'],
    tls: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'EPROTO',
    ],
    reset: ['ECONNRESET', 'EPIPE'],
    proxy: ['ERR_PROXY_TUNNEL'],
    other: ['EWHATEVER', 'HPE_INVALID_CONSTANT'],
  } as const;
  for (const [failure, codes] of Object.entries(table)) {
    for (const code of codes) {
      it(`${code} is ${failure}`, () =>
        assert.equal(networkFailureOf(Object.assign(new Error('x'), { code })), failure));
    }
  }
  it('what a proxy did is proxy, whatever it answered', () => {
    assert.equal(networkFailureOf(new ProxyFailure()), 'proxy');
    assert.equal(networkFailureOf(new ProxyFailure(407)), 'proxy');
  });
  it('an error without a code is other', () => {
    assert.equal(networkFailureOf(new Error('x')), 'other');
    assert.equal(networkFailureOf(undefined), 'other');
  });
});
