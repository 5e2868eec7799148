import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  asScopekeeperError,
  ConnectionError,
  describeError,
  isConnectionError,
} from '../../../src/connections/errors.ts';
import { isOAuthError, OAuthError, plainText } from '../../../src/oauth/errors.ts';
import { readJson } from '../../../src/oauth/readJson.ts';

const denied = new OAuthError('authorization_denied', { issuer: 'https://as.example' });
const locked = new ConnectionError('keychain_locked', {});

describe('an error of ours', () => {
  it('is told by its class and code, never by its text', () => {
    assert.ok(isOAuthError(denied) && isOAuthError(denied, 'authorization_denied'));
    assert.ok(isConnectionError(locked) && isConnectionError(locked, 'keychain_locked'));
    for (const [error, code] of [
      [denied, 'grant_rejected'],
      [locked, 'authorization_denied'],
      [new Error('authorization_denied'), 'authorization_denied'],
      [{ name: 'OAuthError', code: 'authorization_denied' }, 'authorization_denied'],
      [undefined, 'authorization_denied'],
    ] as const) {
      assert.ok(!isOAuthError(error, code));
    }
    assert.ok(!isOAuthError(locked) && !isConnectionError(denied));
    assert.ok(!isConnectionError(locked, 'keychain_unavailable'));
    assert.deepEqual([denied.name, denied.message, denied.code], ['OAuthError', denied.code, 'authorization_denied']);
    assert.deepEqual([locked.name, locked.message, locked.code], ['ConnectionError', locked.code, 'keychain_locked']);
  });

  it('is what everything that is thrown becomes, with its cause', () => {
    assert.equal(asScopekeeperError(denied), denied);
    assert.equal(asScopekeeperError(locked), locked);
    const fault = new TypeError('of ours');
    for (const [thrown, problem] of [
      [fault, 'of ours'],
      ['a text', 'a text'],
      [undefined, 'undefined'],
    ] as const) {
      const error = asScopekeeperError(thrown);
      assert.ok(isConnectionError(error, 'unexpected'));
      assert.deepEqual(error.details, { problem });
      assert.equal(error.cause, thrown);
    }
  });

  it('is described for the log by code and details', () => {
    assert.equal(describeError(denied), 'authorization_denied {"issuer":"https://as.example"}');
    assert.equal(describeError('a text'), 'unexpected {"problem":"a text"}');
  });
});

describe('text from a server', () => {
  for (const [title, text, plain] of [
    ['that is plain', 'plain', 'plain'],
    ['of two lines', '  two\r\n\tlines  ', 'two lines'],
    ['that turns itself round', '\u202Edetrevni\u2028\u200B', 'detrevni'],
    ['that steers a terminal', '\u0000\u001B[31mred', '[31mred'],
    ['that is empty', '', undefined],
    ['of nothing that shows', ' \n\u200B', undefined],
    ['that is missing', undefined, undefined],
    ['that is a number', 7, undefined],
    ['that is an array', ['text'], undefined],
    ['of 200 characters', 'x'.repeat(200), 'x'.repeat(200)],
    ['of 201 characters', 'x'.repeat(201), `${'x'.repeat(199)}…`],
  ] as const) {
    it(`P36 ${title} is shown as ${plain?.slice(0, 30) ?? 'nothing'}`, () => assert.equal(plainText(text), plain));
  }

  const text = fc
    .array(
      fc.oneof(
        fc.string({ maxLength: 3 }),
        fc.constantFrom(' ', '\n', '\u0000', '\u00A0', '\u200B', '\u202E', '\u2029'),
      ),
    )
    .map((parts) => parts.join(''));
  it('P36 is one line of at most so many characters, and stays as it is when it is shown again', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (given, longest) => {
        const plain = plainText(given, longest);
        if (plain === undefined) return;
        assert.ok(plain.length <= longest);
        assert.ok(!/[^\S ]|[\u200B\u202E]|^ | {2}/.test(plain) && !plain.includes('\0'));
        assert.equal(plainText(plain, longest), plain.trim());
      }),
    );
  });
});

describe('a body', () => {
  for (const [title, text, document] of [
    ['of JSON', '{"a":1}', { a: 1 }],
    ['with a byte order mark', '\uFEFF{"a":1}', { a: 1 }],
    ['with one in a text', '{"a":"b\uFEFFc"}', { a: 'b\uFEFFc' }],
    ['that is null', 'null', null],
    ['that is empty', '', undefined],
    ['that is a page', '<html>', undefined],
  ] as const) {
    it(`${title} is read`, async () => assert.deepEqual(await readJson(new Response(text)), document));
  }

  it('that breaks off is none', async () => {
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('reset')) });
    assert.equal(await readJson(new Response(broken)), undefined);
  });
});
