import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secretsSent, withoutSecrets } from '../../../src/oauth/repeatedSecrets.ts';

const form = (entries: Readonly<Record<string, string>>): URLSearchParams => new URLSearchParams(entries);

describe('P36 what a server repeats of a request', () => {
  for (const [title, sent, headers, text, expected] of [
    ['a refresh token', { refresh_token: 'rt-1' }, {}, 'rt-1 is not known, rt-1', '… is not known, …'],
    ['a code', { code: 'c/1+=' }, {}, 'code c/1+= (c%2F1%2B%3D)', 'code … (…)'],
    ['a secret with a blank', { client_secret: 'a b*' }, {}, 'a b* a+b* a%20b* a%20b%2A', '… … … a%20b%2A'],
    ['a parameter that is no secret', { scope: 'files', client_id: 'me' }, {}, 'me may not files', 'me may not files'],
    ['one that is in another', { code: 'abc', code_verifier: 'abcdef' }, {}, 'abcdef abc', '… …'],
    ['nothing', { code: '' }, {}, 'as it is', 'as it is'],
    [
      'HTTP Basic',
      {},
      { authorization: `Basic ${btoa('me:s%20%2B+x')}` },
      `me:s%20%2B+x ${btoa('me:s%20%2B+x')} s + x`,
      'me:… … …',
    ],
    ['a token', {}, { authorization: 'Bearer t1' }, 'no t1', 'no …'],
    ['a proof', {}, { dpop: 'a.b.c' }, '"a.b.c"', '"…"'],
  ] as const) {
    it(`is left out: ${title}`, () => {
      assert.equal(withoutSecrets(text, secretsSent(form(sent), headers)), expected);
    });
  }

  it('is nothing when the server says nothing', () => {
    assert.equal(withoutSecrets(undefined, ['a']), undefined);
  });
});
