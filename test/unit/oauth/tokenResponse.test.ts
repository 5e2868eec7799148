import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountOf, expiryOfJwt, mendTokenResponse } from '../../../src/oauth/tokenResponse.ts';

const good = { access_token: 'AT', token_type: 'bearer', expires_in: 60, scope: 'a b', refresh_token: 'RT' };
const JSON_TYPE = 'application/json';

describe('P33 token responses are mended', () => {
  for (const [title, status, change, expected] of [
    ['a good one stays', 200, {}, {}],
    ['201', 201, {}, {}],
    ['token_type in another case', 200, { token_type: 'Bearer' }, { token_type: 'bearer' }],
    ['token_type DPoP', 200, { token_type: 'DPoP' }, { token_type: 'dpop' }],
    ['token_type unknown', 200, { token_type: 'JWT' }, { token_type: 'bearer' }],
    ['token_type missing', 200, { token_type: undefined }, { token_type: 'bearer' }],
    ['token_type null', 200, { token_type: null }, { token_type: 'bearer' }],
    ['expires_in missing', 200, { expires_in: undefined }, { expires_in: undefined }],
    ['expires_in null', 200, { expires_in: null }, { expires_in: undefined }],
    ['expires_in a string', 200, { expires_in: '3600' }, { expires_in: 3600 }],
    ['expires_in an empty string', 200, { expires_in: '' }, { expires_in: undefined }],
    ['expires_in no number', 200, { expires_in: 'soon' }, { expires_in: undefined }],
    ['expires_in zero', 200, { expires_in: 0 }, { expires_in: undefined }],
    ['expires_in negative', 200, { expires_in: -5 }, { expires_in: undefined }],
    ['expires_in absurd', 200, { expires_in: 1e12 }, { expires_in: undefined }],
    ['expires_in a year', 200, { expires_in: 366 * 86_400 }, { expires_in: 31_622_400 }],
    ['expires_in more than a year', 200, { expires_in: 366 * 86_400 + 1 }, { expires_in: undefined }],
    ['expires_in true', 200, { expires_in: true }, { expires_in: undefined }],
    ['expires_in an array', 200, { expires_in: [60] }, { expires_in: undefined }],
    ['error beside tokens', 200, { error: 'none' }, { error: 'none' }],
    ['error empty', 200, { error: '' }, { error: '' }],
    ['a byte order mark within', 299, { access_token: 'A\uFEFFT' }, { access_token: 'A\uFEFFT' }],
    ['scope null', 200, { scope: null }, { scope: undefined }],
    ['scope empty', 200, { scope: '' }, { scope: undefined }],
    ['scope an array', 200, { scope: ['a', 'b'] }, { scope: 'a b' }],
    ['refresh_token empty', 200, { refresh_token: '' }, { refresh_token: undefined }],
    ['refresh_token null', 200, { refresh_token: null }, { refresh_token: undefined }],
  ] as const) {
    it(title, () => {
      const mended = mendTokenResponse(status, JSON_TYPE, JSON.stringify({ ...good, ...change }));
      assert.equal(mended.status, 200);
      assert.deepEqual(JSON.parse(mended.body), JSON.parse(JSON.stringify({ ...good, ...expected })));
    });
  }

  it('a byte order mark before them is passed over', () => {
    const mended = mendTokenResponse(200, JSON_TYPE, `\uFEFF${JSON.stringify(good)}`);
    assert.deepEqual(JSON.parse(mended.body), good);
  });

  it('200 with an error is an error', () => {
    const body = JSON.stringify({ error: 'bad_verification_code' });
    assert.deepEqual(mendTokenResponse(200, JSON_TYPE, body), { status: 400, body });
  });

  for (const status of [100, 199, 300, 302, 400, 500]) {
    it(`${status} is none, whatever its body says`, () => {
      const body = JSON.stringify({ ...good, token_type: 'Bearer', id_token: 'a.b.c' });
      assert.deepEqual(mendTokenResponse(status, JSON_TYPE, body), { status, body });
    });
  }

  it('a form-encoded body is read', () => {
    const mended = mendTokenResponse(
      200,
      'application/x-www-form-urlencoded; charset=utf-8',
      'access_token=AT&scope=a+b&token_type=bearer',
    );
    assert.deepEqual(JSON.parse(mended.body), { access_token: 'AT', scope: 'a b', token_type: 'bearer' });
  });

  it('an ID token is set aside', () => {
    const mended = mendTokenResponse(200, JSON_TYPE, JSON.stringify({ ...good, id_token: 'a.b.c' }));
    assert.equal(mended.idToken, 'a.b.c');
    assert.ok(!mended.body.includes('id_token'));
  });

  for (const body of ['', '<html>', '[]', 'null', '"text"', '{"access_token":7}']) {
    it(`${body || '(nothing)'} is left for the judge`, () => {
      assert.deepEqual(mendTokenResponse(200, JSON_TYPE, body), { status: 200, body });
    });
  }
});

describe('the account of an ID token', () => {
  it('is the first name that a person would know', () => {
    assert.equal(accountOf(idToken({ sub: '1', name: 'Ada Ł', email: 'ada@example.com' })), 'ada@example.com');
    const named = { sub: '1', name: 'Ada Ł' };
    assert.equal(accountOf(idToken({ ...named, preferred_username: 'ada' })), 'ada');
    assert.equal(accountOf(idToken({ ...named, email: '\u202E', preferred_username: 7 })), 'Ada Ł');
    assert.equal(accountOf(idToken(named)), 'Ada Ł');
    assert.equal(accountOf(idToken({ sub: '1' })), '1');
  });

  it('is read from the URL-safe alphabet of base64', () => {
    const token = idToken({ sub: '~~~???>>>' });
    assert.match(token, /-.*_/);
    assert.equal(accountOf(token), '~~~???>>>');
  });

  for (const broken of [undefined, '', 'a', 'a.%%%.c', 'a.bm8=.c', idToken([])]) {
    it(`is nothing for ${broken ?? 'none'}`, () => assert.equal(accountOf(broken), undefined));
  }
});

describe('RFC 7519 section 4.1.4: the end of a JWT', () => {
  for (const [title, jwt, expected] of [
    ['its exp, in ms', idToken({ exp: 1_700_000_000.5 }), 1_700_000_000_500],
    ['unknown without exp', idToken({ iat: 1 }), undefined],
    ['unknown when exp is a text', idToken({ exp: '1700000000' }), undefined],
    ['unknown when exp is null', idToken({ exp: null }), undefined],
    ['unknown when exp is endless', tokenOf('{"exp":1e999}'), undefined],
    ['unknown of what is no JWT', 'opaque', undefined],
  ] as const) {
    it(`is ${title}`, () => assert.equal(expiryOfJwt(jwt), expected));
  }
});

function idToken(claims: object): string {
  return tokenOf(JSON.stringify(claims));
}

function tokenOf(payload: string): string {
  return `h.${Buffer.from(payload).toString('base64url')}.s`;
}
