import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  forgetRefused,
  isRememberedAttempt,
  nextRefreshAttempt,
  type RefreshAttempt,
  type RefreshMemory,
  type RefreshTarget,
  type Refusal,
  rememberAttempt,
} from '../../../src/connections/refreshAttempts.ts';

const RESOURCE = 'https://mcp.example/mcp';
/** All that was requested was authorized. */
const ALL: RefreshTarget = { authorized: ['a', 'b'], requested: ['a', 'b'], resource: RESOURCE };
const SOME: RefreshTarget = { ...ALL, authorized: ['a'] };
/** The server echoes other spellings, as Entra does. */
const OTHER: RefreshTarget = { ...ALL, authorized: ['x/a', 'x/b'] };
const NO_SCOPES: RefreshTarget = { ...ALL, authorized: [], requested: [] };
const UNASKED: RefreshTarget = { ...ALL, requested: [] };
const PLAIN: RefreshTarget = { ...ALL, resource: undefined };

/** An attempt in short: `authorized+` with `resource`, `authorized` without. */
function short(attempt: RefreshAttempt | undefined): string | undefined {
  return attempt && `${attempt.scope}${attempt.resource === undefined ? '' : '+'}`;
}

/** Every request of a refresh in which each is refused for what `refusals` says next. */
function sequence(target: RefreshTarget, memory: RefreshMemory, refusals: readonly Refusal[]): string {
  return Array.from({ length: refusals.length + 1 }, (_value, count) =>
    short(nextRefreshAttempt(target, memory, refusals.slice(0, count))),
  ).join(' ');
}

const SCOPE_ALWAYS = ['scope', 'scope', 'scope'] as const;

describe('P27 what a refresh tries', () => {
  for (const [title, target, memory, refusals, expected] of [
    // Which `scope`.
    ['all was authorized', ALL, {}, SCOPE_ALWAYS, 'authorized+ omitted+  '],
    ['some was authorized', SOME, {}, SCOPE_ALWAYS, 'authorized+ requested+ omitted+ '],
    ['other spellings are never sent', OTHER, {}, SCOPE_ALWAYS, 'requested+ omitted+  '],
    ['there are no scopes', NO_SCOPES, {}, ['scope'], 'omitted+ '],
    ['nothing was granted', { ...ALL, authorized: [] }, {}, SCOPE_ALWAYS, 'requested+ omitted+  '],
    ['nothing was requested', UNASKED, {}, SCOPE_ALWAYS, 'authorized+ omitted+  '],
    // Which `resource` (P14).
    ['resource refused', ALL, {}, ['resource'], 'authorized+ authorized'],
    ['resource refused, and its absence too', ALL, {}, ['resource', 'resource'], 'authorized+ authorized '],
    ['no resource', PLAIN, {}, ['scope'], 'authorized omitted'],
    ['no resource, and that is refused', PLAIN, {}, ['resource'], 'authorized '],
    // Both: what was refused once is not sent again.
    ['resource, then scopes', SOME, {}, ['resource', 'scope', 'scope'], 'authorized+ authorized requested omitted'],
    ['scope, resource, scope', SOME, {}, ['scope', 'resource', 'scope'], 'authorized+ requested+ requested omitted'],
    ['scopes, then resource', SOME, {}, ['scope', 'scope', 'resource'], 'authorized+ requested+ omitted+ omitted'],
    // What is remembered is first; its part begins from the beginning when it is refused.
    ['remembered', SOME, { scope: 'omitted', omitsResource: true }, [], 'omitted'],
    ['remembered scope', SOME, { scope: 'requested' }, SCOPE_ALWAYS, 'requested+ authorized+ omitted+ '],
    ['remembered resource', SOME, { omitsResource: true }, ['resource', 'resource'], 'authorized authorized+ '],
    [
      'remembered, both refused',
      SOME,
      { scope: 'omitted', omitsResource: true },
      ['scope', 'resource', 'scope'],
      'omitted authorized authorized+ requested+',
    ],
    ['remembered, of no use here', ALL, { scope: 'requested' }, ['scope'], 'authorized+ omitted+'],
    ['remembered, without resource', PLAIN, { omitsResource: true }, ['scope'], 'authorized omitted'],
    // A remembered request that is refused in other words, as AADSTS90009 is.
    [
      'remembered, refused as a whole',
      SOME,
      { scope: 'omitted', omitsResource: true },
      ['request', 'resource', 'scope'],
      'omitted authorized+ authorized requested',
    ],
    [
      'remembered resource, refused as a whole',
      SOME,
      { omitsResource: true },
      ['request', 'scope', 'scope'],
      'authorized authorized+ requested+ omitted+',
    ],
    ['the only scope there is', NO_SCOPES, { omitsResource: true }, ['request'], 'omitted omitted+'],
  ] as const satisfies readonly (readonly [string, RefreshTarget, RefreshMemory, readonly Refusal[], string])[]) {
    it(`${title}: ${expected.trim()}`, () => assert.equal(sequence(target, memory, refusals), expected));
  }

  it('is at most four requests, none twice, whatever is refused', () => {
    const targets = [ALL, SOME, OTHER, NO_SCOPES, UNASKED, PLAIN];
    const scopes = [undefined, 'authorized', 'requested', 'omitted'] as const;
    const memories = scopes.flatMap((scope): RefreshMemory[] => [
      { ...(scope !== undefined && { scope }) },
      { ...(scope !== undefined && { scope }), omitsResource: true },
    ]);
    let longest = 0;
    const follow = (
      target: RefreshTarget,
      memory: RefreshMemory,
      refusals: readonly Refusal[],
      sent: string[],
    ): void => {
      const attempt = short(nextRefreshAttempt(target, memory, refusals));
      if (attempt === undefined) return;
      assert.ok(!sent.includes(attempt), `${JSON.stringify([target, memory, refusals])}: ${attempt} again`);
      longest = Math.max(longest, sent.length + 1);
      const isFirst = refusals.length === 0 && isRememberedAttempt(target, memory);
      const possible: readonly Refusal[] = isFirst ? ['scope', 'resource', 'request'] : ['scope', 'resource'];
      for (const refusal of possible) follow(target, memory, [...refusals, refusal], [...sent, attempt]);
    };
    for (const target of targets) for (const memory of memories) follow(target, memory, [], []);
    assert.equal(longest, 4);
  });

  it('sends the scopes that it names', () => {
    assert.deepEqual(nextRefreshAttempt(SOME, {}, [])?.scopes, ['a']);
    assert.deepEqual(nextRefreshAttempt(SOME, { scope: 'requested' }, [])?.scopes, ['a', 'b']);
    assert.equal(nextRefreshAttempt(SOME, { scope: 'omitted' }, [])?.scopes, undefined);
    assert.equal(nextRefreshAttempt(SOME, {}, [])?.resource, RESOURCE);
  });
});

describe('P27 what is remembered', () => {
  const whole: RefreshMemory = { scope: 'omitted', omitsResource: true };
  for (const [title, target, memory, refusals, isLossy, expected] of [
    ['nothing of a server that takes the first', ALL, {}, [], false, {}],
    ['the scope that was taken in the end', SOME, {}, ['scope', 'scope'], false, { scope: 'omitted' }],
    ['that resource was left out', SOME, {}, ['resource'], false, { omitsResource: true }],
    ['both', SOME, {}, ['resource', 'scope'], false, { scope: 'requested', omitsResource: true }],
    ['what is still taken', SOME, whole, [], false, whole],
    ['nothing more once the first is taken again', SOME, { scope: 'omitted' }, ['scope'], false, {}],
    ['nothing more once resource is demanded', SOME, { omitsResource: true }, ['resource'], false, {}],
    ['the other part when one is refused', SOME, whole, ['scope'], false, { omitsResource: true }],
    ['nothing of what was refused as a whole', SOME, whole, ['request'], false, {}],
    ['what another connection taught', ALL, { scope: 'requested' }, [], false, { scope: 'requested' }],
    ['no scope that loses some', SOME, {}, ['scope', 'resource'], true, { omitsResource: true }],
    ['no scope any more that loses some', SOME, whole, [], true, { omitsResource: true }],
    [
      'what another connection taught, though this one loses',
      ALL,
      { scope: 'requested' },
      [],
      true,
      { scope: 'requested' },
    ],
    ['nothing of resource by a connection without', PLAIN, { omitsResource: true }, [], false, { omitsResource: true }],
  ] as const satisfies readonly (readonly [
    string,
    RefreshTarget,
    RefreshMemory,
    readonly Refusal[],
    boolean,
    RefreshMemory,
  ])[]) {
    it(title, () => {
      const taken = nextRefreshAttempt(target, memory, refusals) ?? assert.fail();
      assert.deepEqual(rememberAttempt(target, memory, refusals, taken, isLossy), expected);
    });
  }

  it('what was refused is forgotten when nothing else is taken', () => {
    assert.deepEqual(forgetRefused(whole, []), whole);
    assert.deepEqual(forgetRefused(whole, ['scope']), { omitsResource: true });
    assert.deepEqual(forgetRefused(whole, ['resource']), { scope: 'omitted' });
    assert.deepEqual(forgetRefused(whole, ['request', 'scope']), {});
  });
});
