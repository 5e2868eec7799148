import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOAuthError, type OAuthErrorCode, OAuthError } from '../../../src/oauth/errors.ts';
import { checkAccessToken } from '../../../src/oauth/probe.ts';
import { networkOf } from '../answers.ts';

const MCP = 'https://example.com/mcp';
const server = new URL(MCP);
const options = { reach: 'public', accessToken: 'AT' } as const;

const JSON_RPC = JSON.stringify({ jsonrpc: '2.0', id: 0, error: { code: -32_601, message: 'no such method' } });

function answered(status: number, type: string, body: string | null = null, sessionId?: string): Response {
  const session = sessionId === undefined ? {} : { 'mcp-session-id': sessionId };
  return new Response(body, { status, headers: { 'content-type': type, ...session } });
}

describe('a token that the person brought', () => {
  const table: readonly (readonly [number, string, string | null, OAuthErrorCode | undefined])[] = [
    [200, 'application/json', null, undefined],
    [299, 'text/event-stream', null, undefined],
    [401, 'application/json', JSON_RPC, 'access_token_refused'],
    [403, 'application/json', JSON_RPC, 'access_token_refused'],
    [200, 'text/html', '<p>', 'not_an_mcp_server'],
    [300, 'application/json', JSON_RPC, 'not_an_mcp_server'],
    [500, 'application/json', JSON_RPC, 'not_an_mcp_server'],
    // The token is taken, and `initialize` is not.
    [400, 'application/json', JSON_RPC, undefined],
    [404, 'application/json', JSON_RPC, undefined],
    [406, 'text/plain', JSON_RPC, undefined],
    [400, 'application/json', '{"error":"bad_request"}', 'not_an_mcp_server'],
    [400, 'application/json', '{"jsonrpc":"1.0"}', 'not_an_mcp_server'],
    [400, 'application/json', '[]', 'not_an_mcp_server'],
    [422, 'application/json', '{', 'not_an_mcp_server'],
  ];
  for (const [status, type, body, code] of table) {
    it(`P36 is sent in the header, and judged by ${status} ${type} ${body ?? ''}: ${code ?? 'taken'}`, async () => {
      const { fetch, sent } = networkOf({ [MCP]: answered(status, type, body) });
      const outcome: unknown = await checkAccessToken(fetch, server, options).catch((error: unknown) => error);
      assert.deepEqual(
        sent.map(({ url, headers }) => [url, headers?.['authorization']]),
        [[MCP, 'Bearer AT']],
      );
      assert.equal(isOAuthError(outcome) ? outcome.code : outcome, code);
      if (isOAuthError(outcome, 'access_token_refused')) assert.deepEqual(outcome.details, { url: MCP, status });
      if (isOAuthError(outcome, 'not_an_mcp_server')) {
        assert.deepEqual(outcome.details, { url: MCP, status, contentType: type });
      }
    });
  }

  it('is sent again to a server that takes no POST', async () => {
    const { fetch, sent } = networkOf({ [MCP]: [answered(405, 'text/html'), answered(200, 'text/event-stream')] });
    await checkAccessToken(fetch, server, options);
    assert.deepEqual(
      sent.map(({ method, headers, headersOnly }) => [method, headers?.['authorization'], headersOnly]),
      [
        ['POST', 'Bearer AT', 'unless_error'],
        ['GET', 'Bearer AT', true],
      ],
    );
  });

  it('P37 leaves no session behind', async () => {
    const { fetch, sent } = networkOf({ [MCP]: answered(200, 'application/json', null, 'session-1') });
    const { signal } = new AbortController();
    await checkAccessToken(fetch, server, { ...options, signal });
    assert.deepEqual(sent.slice(1), [
      {
        url: MCP,
        method: 'DELETE',
        headers: { authorization: 'Bearer AT', 'mcp-session-id': 'session-1' },
        headersOnly: true,
        reach: 'public',
        signal,
      },
    ]);
  });

  it('P37 is good though its session cannot be ended', async () => {
    const lost = new OAuthError('server_unreachable', { url: MCP, failure: 'timeout' });
    const { fetch, sent } = networkOf({ [MCP]: [answered(200, 'text/event-stream', null, 'session-1'), lost] });
    await checkAccessToken(fetch, server, options);
    assert.deepEqual(
      sent.map(({ method }) => method),
      ['POST', 'DELETE'],
    );
  });
});
