import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackUrlIn } from '../../../src/vscode/uriCallback.ts';

const REDIRECT_URI = 'vscode://scopekeeper.scopekeeper/callback';
const STATE = 'Zq-8_x';

/** What the editor makes of the URI that a browser opened: it decodes the query once, as a whole. */
function handed(query: string, path = '/callback') {
  return { path, query: decodeURIComponent(query) };
}

for (const [what, code] of [
  ['a plain code', 'abc.def-ghi_jkl~'],
  ['a plus', 'a+b'],
  ['a percent sign', 'a%b'],
  ['what looks encoded', 'a%2Fb%26c'],
  ['an ampersand', 'a&b'],
  ['an ampersand at the end', 'a&'],
  ['equals signs', 'YWJj=='],
  ['a number sign', 'a#b'],
  ['a question mark and slashes', '4/0Ab?c/d'],
  ['a blank', 'a b'],
  ['other letters', 'é✓'],
] as const) {
  test(`P18 ${what} in a code comes through the editor`, () => {
    const query = `code=${encodeURIComponent(code)}&state=${STATE}&iss=${encodeURIComponent('https://as.example/t')}`;
    const url = callbackUrlIn(handed(query), REDIRECT_URI);
    assert.deepEqual(
      [...(url?.searchParams ?? [])],
      [
        ['code', code],
        ['state', STATE],
        ['iss', 'https://as.example/t'],
      ],
    );
    assert.equal(url?.href.startsWith(`${REDIRECT_URI}?`), true);
  });
}

test('P18 a code that is encoded more than it need be is the same', () => {
  const url = callbackUrlIn(handed(`code=%61%2Bb&state=${STATE}`), REDIRECT_URI);
  assert.equal(url?.searchParams.get('code'), 'a+b');
});

test('P18 parameters that nobody knows stay apart', () => {
  const url = callbackUrlIn(handed(`code=abc&session_state=x.y&authuser=0&state=${STATE}`), REDIRECT_URI);
  assert.equal(url?.searchParams.get('code'), 'abc');
  assert.equal(url?.searchParams.get('state'), STATE);
});

test('P18 an error keeps its words', () => {
  const url = callbackUrlIn(
    handed(`error=access_denied&error_description=You+said%20no+100%25&state=${STATE}`),
    REDIRECT_URI,
  );
  assert.equal(url?.searchParams.get('error'), 'access_denied');
  assert.equal(url?.searchParams.get('error_description'), 'You said no 100%');
});

test('P16 a repeated parameter stays repeated, so that it is refused', () => {
  const url = callbackUrlIn(handed('code=a&state=one&state=two'), REDIRECT_URI);
  assert.deepEqual(url?.searchParams.getAll('state'), ['one', 'two']);
});

for (const path of ['/', '', '/callback/', '/other', '/Callback']) {
  test(`P18 a URI with the path ${JSON.stringify(path)} is about something else`, () => {
    assert.equal(callbackUrlIn(handed(`code=a&state=${STATE}`, path), REDIRECT_URI), undefined);
  });
}

for (const query of ['', '&', '=', '&&=&', 'code', '=x&code=a', 'code=a&']) {
  test(`P18 never throws: ${JSON.stringify(query)}`, () => {
    assert.equal(callbackUrlIn({ path: '/callback', query }, REDIRECT_URI)?.searchParams.get('state'), null);
  });
}
