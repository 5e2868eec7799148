import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isAllowedRedirect, isSameRedirect, redirectWith } from '../../../src/gateway/authorization/redirectUris.ts';

describe('isAllowedRedirect', () => {
  const cases: Readonly<Record<string, boolean>> = {
    'http://127.0.0.1': true,
    'http://127.0.0.1/': true,
    'http://127.0.0.1:1/callback?a=b': true,
    'http://[::1]:8080/callback': true,
    'http://localhost:65535/oauth/callback': true,
    'HTTP://LOCALHOST/callback': true,
    'http://localhost?x': true,
    'vscode://publisher.extension/callback': true,
    'vscode-insiders://x/y': true,
    'cursor://anysphere.cursor-retrieval/oauth/user/callback': true,
    'https://127.0.0.1/callback': false,
    'https://vscode.dev/redirect': false,
    'http://example.com/': false,
    'http://127.0.0.1.example.com/': false,
    'http://localhost.example.com/': false,
    'http://127.0.0.1@example.com/': false,
    'http://127.0.0.1:80@example.com/': false,
    'http://example.com\\@127.0.0.1/': false,
    'http://127.0.0.1\\.example.com/': false,
    'http://127.0.0.1/a\\b': false,
    'http://user@127.0.0.1/': false,
    'http://127.0.0.1/#fragment': false,
    'http://127.0.0.1:65536/': false,
    'http://127.0.0.1:/': false,
    'http://127.1/': false,
    'http://2130706433/': false,
    'http://0.0.0.0/': false,
    'http://[::]/': false,
    'http://[::ffff:127.0.0.1]/': false,
    'http://127.0.0.2/': false,
    'http:127.0.0.1/': false,
    'http://127.0.0.1/\nset-cookie: a=b': false,
    ' http://127.0.0.1/': false,
    'http://127.0.0.1/ä': false,
    'javascript:alert(1)': false,
    'javascript://127.0.0.1/%0aalert(1)': false,
    'data:text/html,x': false,
    'file:///etc/passwd': false,
    'vscode:x': false,
    'vscode://x/#y': false,
    'evil://x': false,
    'com.example.app://callback': false,
    'not a url': false,
    '': false,
    [`http://127.0.0.1/${'x'.repeat(2000)}`]: false,
  };
  for (const [uri, expected] of Object.entries(cases)) {
    it(`P44 ${expected ? 'takes' : 'refuses'} ${JSON.stringify(uri).slice(0, 80)}`, () => {
      assert.equal(isAllowedRedirect(uri), expected);
      assert.equal(isSameRedirect(uri, uri), expected);
    });
  }

  it('P44 takes http to this machine alone, however a URL is written', () => {
    const part = fc.constantFrom(
      'http',
      'https',
      '://',
      ':',
      '/',
      '//',
      '@',
      '\\',
      '127.0.0.1',
      'localhost',
      '[::1]',
      'a.b',
      '80',
      '?',
      '#',
      '%2f',
      '.',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
        const uri = parts.join('');
        if (!isAllowedRedirect(uri)) return;
        const url = new URL(uri);
        assert.equal(url.protocol, 'http:');
        assert.ok(['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname));
        assert.equal(url.username + url.password + url.hash, '');
      }),
      { numRuns: 5000 },
    );
  });
});

describe('redirectWith', () => {
  it('P44 adds the answer to the query that there is', () => {
    assert.equal(redirectWith('http://127.0.0.1/a', { code: 'x y', state: undefined }), 'http://127.0.0.1/a?code=x+y');
    assert.equal(redirectWith('cursor://a/b?c=%20', { code: '&=' }), 'cursor://a/b?c=%20&code=%26%3D');
  });
});
