import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isScopeToken } from '../../../src/oauth/scopeSet.ts';
import { accountOf, mendTokenResponse } from '../../../src/oauth/tokenResponse.ts';

const YEAR_SECONDS = 366 * 24 * 60 * 60;
const FORM = 'application/x-www-form-urlencoded';

/** Whatever JSON can hold, and what servers have been seen to write. */
const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    null,
    '',
    ' ',
    0,
    -1,
    1e300,
    '3600',
    '-1',
    '0x10',
    '1e3',
    'soon',
    'Bearer',
    'DPoP',
    'DPOP',
    'a b',
    'a,b',
  ),
  fc.double(),
  fc.array(fc.constantFrom('a', 'b c', '', 'a')),
  fc.constant({ toString: null, valueOf: 1 }),
);
const secret = fc.string({ minLength: 1 });
const scopeText = fc
  .uniqueArray(fc.stringMatching(/^[!#-[\]-~]{1,12}$/), { minLength: 1 })
  .map((scopes) => scopes.join(' '));
const answer = fc.record(
  {
    access_token: fc.oneof({ weight: 4, arbitrary: secret }, { weight: 1, arbitrary: anyValue }),
    refresh_token: fc.oneof({ weight: 2, arbitrary: secret }, { weight: 1, arbitrary: anyValue }),
    token_type: anyValue,
    expires_in: anyValue,
    scope: anyValue,
    id_token: anyValue,
    error: fc.option(anyValue, { nil: undefined }),
    other: anyValue,
    ['__proto__']: anyValue,
  },
  { requiredKeys: [] },
);
const status = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(200, 201, 204, 299) },
  fc.integer({ min: 100, max: 599 }),
);
const contentType = fc.constantFrom(
  null,
  '',
  'application/json',
  'text/html; charset=utf-8',
  FORM,
  `${FORM}; charset=utf-8`,
);
const anyBody = fc.oneof(
  answer.map((document) => JSON.stringify(document)),
  answer.map((document) => `\uFEFF${JSON.stringify(document)}`),
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc.webQueryParameters(),
);

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The members of a JSON object, as `JSON.parse` gives them. */
function membersOf(body: string): Readonly<Record<string, unknown>> {
  const document: unknown = JSON.parse(body);
  assert.ok(typeof document === 'object' && document !== null && !Array.isArray(document));
  return Object.fromEntries(Object.entries(document));
}

describe('P33 a token endpoint’s answer', () => {
  it('is mended whatever it is, and needs no more mending then', () => {
    fc.assert(
      fc.property(status, contentType, anyBody, (code, type, body) => {
        const { idToken, ...once } = mendTokenResponse(code, type, body);
        assert.ok(idToken === undefined || idToken !== '');
        const isLeft = once.status === code && once.body === body;
        assert.deepEqual(mendTokenResponse(once.status, isLeft ? type : 'application/json', once.body), once);
      }),
      { numRuns: 1000 },
    );
  });

  it('loses no token, whatever else is in it and however its kind is called', () => {
    fc.assert(
      fc.property(status, contentType, answer, (code, type, document) => {
        const mended = mendTokenResponse(code, type, JSON.stringify(document));
        const members = membersOf(mended.body);
        for (const name of ['access_token', 'refresh_token'] as const) {
          if (isText(document[name])) assert.equal(members[name], document[name]);
        }
        const isSuccess = code >= 200 && code < 300;
        const hasToken = isText(document.access_token);
        const expected = isSuccess && hasToken ? 200 : isSuccess && isText(document.error) ? 400 : code;
        assert.equal(mended.status, expected);
        assert.equal(
          mended.idToken,
          isSuccess && hasToken && isText(document.id_token) ? document.id_token : undefined,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('loses no token in a form either', () => {
    const form = fc.record(
      { access_token: secret, refresh_token: secret, scope: scopeText },
      { requiredKeys: ['access_token'] },
    );
    fc.assert(
      fc.property(fc.mixedCase(fc.constantFrom(FORM, `${FORM};charset=UTF-8`)), form, (type, document) => {
        const { body } = mendTokenResponse(200, type, new URLSearchParams({ ...document }).toString());
        assert.deepEqual(membersOf(body), { ...document, token_type: 'bearer' });
      }),
    );
  });

  it('gives a life of a second to a year or none, a known type, and scopes that can be sent', () => {
    fc.assert(
      fc.property(contentType, answer, secret, (type, document, token) => {
        const { body } = mendTokenResponse(200, type, JSON.stringify({ ...document, access_token: token }));
        const { expires_in: life, scope, token_type: tokenType, id_token: idToken, ...rest } = membersOf(body);
        const given = typeof document.expires_in === 'string' ? Number(document.expires_in) : document.expires_in;
        const isSane = typeof given === 'number' && given > 0 && given <= YEAR_SECONDS;
        assert.equal(life, isSane ? given : undefined);
        assert.equal(tokenType, /^dpop$/i.test(textOf(document.token_type)) ? 'dpop' : 'bearer');
        assert.ok(scope === undefined || (isText(scope) && scope.split(' ').every(isScopeToken)));
        assert.equal(idToken, undefined);
        assert.deepEqual(rest['other'], membersOf(JSON.stringify(document))['other']);
        assert.ok(!('refresh_token' in rest) || isText(rest['refresh_token']));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the account of an ID token', () => {
  it('is a short line or nothing, whatever the token is', () => {
    const claims = fc.record({ email: anyValue, preferred_username: anyValue, name: anyValue, sub: anyValue });
    const parts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.oneof(claims, fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.tuple(parts, parts, parts).map((three) => three.join('.')),
        ),
        (token) => {
          const account = accountOf(token);
          assert.ok(account === undefined || /^[^\p{Cc}\p{Cf}]{1,80}$/u.test(account), account);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
