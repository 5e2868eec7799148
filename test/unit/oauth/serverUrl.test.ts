import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { canonicalResource, parseServerUrl, suggestName } from '../../../src/oauth/serverUrl.ts';

describe('server URLs', () => {
  for (const [input, expected] of [
    ['https://mcp.example.com', 'https://mcp.example.com'],
    ['https://mcp.example.com/', 'https://mcp.example.com'],
    ['  HTTPS://MCP.Example.COM:443/mcp ', 'https://mcp.example.com/mcp'],
    ['https://example.com/mcp/', 'https://example.com/mcp/'],
    ['https://example.com/mcp?tenant=a', 'https://example.com/mcp?tenant=a'],
    ['example.com/mcp', 'https://example.com/mcp'],
    ['localhost:4711/mcp', 'http://localhost:4711/mcp'],
    ['http://127.0.0.1:4711/mcp', 'http://127.0.0.1:4711/mcp'],
    ['[::1]:80/mcp', 'http://[::1]/mcp'],
    ['localhost?a=b', 'http://localhost?a=b'],
    ['example.com/see/https://other.example', 'https://example.com/see/https://other.example'],
  ] as const) {
    it(`P14 makes ${input.trim()} canonical`, () => {
      assert.equal(canonicalResource(parseServerUrl(input)), expected);
    });
  }

  for (const [input, problem] of [
    ['', 'not_a_url'],
    ['hello', 'not_a_url'],
    ['my server', 'not_a_url'],
    ['https://', 'not_a_url'],
    ['https://a b.com', 'not_a_url'],
    ['ftp://example.com', 'scheme'],
    ['file:///etc/passwd', 'not_a_url'],
    ['javascript://x/%0aalert(1)', 'scheme'],
    ['web.x+y-z://example.com', 'scheme'],
    ['W.X://example.com', 'scheme'],
    ['https://user:secret@example.com', 'credentials'],
    ['https://user@example.com', 'credentials'],
    ['https://:secret@example.com', 'credentials'],
    ['user@example.com/mcp', 'not_a_url'],
    ['https://example.com/mcp#part', 'fragment'],
  ] as const) {
    it(`refuses ${input || '(nothing)'} as ${problem}`, () => {
      assert.throws(
        () => parseServerUrl(input),
        (error) => isOAuthError(error, 'invalid_server_url') && error.details.problem === problem,
      );
    });
  }

  it('does not repeat a password in the error', () => {
    assert.throws(() => parseServerUrl('https://user:hunter2@example.com:8443/mcp'), {
      details: { input: 'https://example.com:8443', problem: 'credentials' },
    });
  });

  for (const input of ['http://example.com/mcp', 'http://10.0.0.5/mcp']) {
    it(`P20 refuses plain http to ${input}`, () => {
      assert.throws(() => parseServerUrl(input), { code: 'insecure_url', details: { url: input, role: 'server' } });
    });
  }

  for (const [url, name] of [
    ['https://mcp.linear.app/mcp', 'linear.app'],
    ['https://www.example.com', 'example.com'],
    ['https://mcp.com', 'mcp.com'],
    ['https://api.mcp.example.com', 'mcp.example.com'],
    ['https://team.api.example.com', 'team.api.example.com'],
    ['https://example.com:8443', 'example.com'],
    ['http://127.0.0.1:4711/mcp', '127.0.0.1:4711'],
  ] as const) {
    it(`names ${url} ${name}`, () => assert.equal(suggestName(new URL(url)), name));
  }
});
