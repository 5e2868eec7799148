import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Challenge, findBearerChallenge, parseChallenges } from '../../../src/oauth/challenge.ts';
import { isScopeToken, parseScopes } from '../../../src/oauth/scopeSet.ts';

/** A challenge as RFC 9110 section 11.6.1 lets a server write it, and what is to be read of it. */
interface Written {
  readonly text: string;
  readonly read: Challenge;
}

const spaces = fc.stringMatching(/^[ \t]{0,3}$/);
const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/);
const scheme = fc.oneof(token, fc.constantFrom('Bearer', 'bearer', 'BEARER', 'DPoP', 'Basic', 'Negotiate'));
const token68 = fc.stringMatching(/^[0-9A-Za-z\-._~+/]{1,12}={0,2}$/);
/** `quoted-pair` allows any of these after a backslash (RFC 9110 section 5.6.4). */
const quotedValue = fc
  .array(fc.tuple(fc.stringMatching(/^[\t -~\u0080-\u00FF]$/), fc.boolean()), { maxLength: 20 })
  .map((chars) => ({
    value: chars.map(([char]) => char).join(''),
    text: `"${chars.map(([char, escaped]) => (escaped || char === '"' || char === '\\' ? `\\${char}` : char)).join('')}"`,
  }));
const parameter = fc
  .tuple(
    fc.oneof(token, fc.constantFrom('scope', 'error', 'realm', 'resource_metadata', 'Scope')),
    spaces,
    spaces,
    fc.oneof(
      quotedValue,
      token.map((value) => ({ value, text: value })),
    ),
  )
  .map(([name, before, after, { value, text }]) => ({ name, value, text: `${name}${before}=${after}${text}` }));
const comma = fc.tuple(spaces, fc.stringMatching(/^,[, \t]{0,3}$/)).map((parts) => parts.join(''));

const withParameters = fc
  .tuple(scheme, fc.stringMatching(/^ {1,3}$/), fc.array(parameter, { minLength: 1, maxLength: 4 }), comma)
  .map(([name, space, parameters, delimiter]): Written => {
    const read = new Map<string, string>();
    for (const { name: key, value } of parameters) {
      if (!read.has(key.toLowerCase())) read.set(key.toLowerCase(), value);
    }
    return {
      text: `${name}${space}${parameters.map(({ text }) => text).join(delimiter)}`,
      read: { scheme: name.toLowerCase(), parameters: read },
    };
  });
const withCredentials = fc
  .tuple(scheme, fc.stringMatching(/^ {1,3}$/), token68)
  .map(([name, space, text]): Written => ({
    text: `${name}${space}${text}`,
    read: { scheme: name.toLowerCase(), parameters: new Map() },
  }));
const bare = scheme.map((text): Written => ({ text, read: { scheme: text.toLowerCase(), parameters: new Map() } }));
const header = fc
  .tuple(fc.array(fc.oneof(withParameters, withCredentials, bare), { maxLength: 5 }), comma)
  .map(([written, delimiter]) => ({
    text: written.map(({ text }) => text).join(delimiter),
    read: written.map((each) => each.read),
  }));

/** What trips a reader: the delimiters of the grammar, in any order. */
const hostile = fc
  .array(fc.constantFrom('"', '\\', ',', ' ', '\t', '=', 'a', 'Bearer', 'Bearer ', 'scope=', '\n', '\0', 'é', '\u2028'))
  .map((parts) => parts.join(''));
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), hostile);

describe('P7 challenges', () => {
  it('that are written as the RFC has it are read back, all of them', () => {
    fc.assert(fc.property(header, ({ text, read }) => assert.deepEqual(parseChallenges(text), read)));
  });

  it('are read from any text without an error', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const { scheme: name, parameters } of parseChallenges(text)) {
          assert.notEqual(name, '');
          assert.equal(name, name.toLowerCase());
          for (const key of parameters.keys()) assert.equal(key, key.toLowerCase());
        }
        assert.ok((findBearerChallenge(text)?.scopes ?? []).every(isScopeToken));
      }),
      { numRuns: 1000 },
    );
  });

  it('lose nothing to what comes after them', () => {
    fc.assert(
      fc.property(header, anyText, ({ text, read }, rest) => {
        const found = parseChallenges(`${text}, ${rest}`);
        const last = read.at(-1);
        assert.deepEqual(found.slice(0, Math.max(read.length - 1, 0)), read.slice(0, -1));
        for (const [name, value] of last?.parameters ?? []) {
          assert.equal(found[read.length - 1]?.parameters.get(name), value);
        }
      }),
    );
  });

  it('P1 P15 give their demand: that of the first with an error, filled up from others that carry our tokens', () => {
    fc.assert(
      fc.property(header, ({ text, read }) => {
        const ours = read.filter(({ scheme: name }) => name === 'bearer' || name === 'dpop');
        const isError = ({ parameters }: (typeof ours)[number]): number => Number(parameters.has('error'));
        const ordered = ours.toSorted((one, other) => isError(other) - isError(one));
        const [first] = ordered;
        const valueOf = (name: string): string | undefined =>
          ordered.map(({ parameters }) => parameters.get(name)).find((value) => value !== undefined);
        const found = findBearerChallenge(text);
        assert.equal(found?.scheme, first?.scheme);
        const takesDpop = ours.some(({ scheme: name }) => name === 'dpop');
        if (found !== undefined) assert.equal(found.takesDpop, takesDpop);
        assert.equal(found?.error, first?.parameters.get('error'));
        assert.equal(found?.errorDescription, first?.parameters.get('error_description'));
        assert.equal(found?.resourceMetadataUrl, valueOf('resource_metadata'));
        assert.deepEqual(found?.scopes ?? [], parseScopes(valueOf('scope')));
      }),
    );
  });
});
