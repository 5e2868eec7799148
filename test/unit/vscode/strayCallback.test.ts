import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallbackOutcome } from '../../../src/connections/connectionService.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { strayText } from '../../../src/vscode/strayCallback.ts';
import { connectionIn } from '../connectionFixture.ts';

const failed = (error: unknown): CallbackOutcome => ({ type: 'failed', error });

for (const [title, outcome, says] of [
  ['of no sign-in is told', failed(new OAuthError('callback_state_unknown', {})), /belongs to no sign-in/],
  ['that was taken already is told', failed(new OAuthError('callback_repeated', {})), /was taken already/],
  [
    'of a sign-in that fails is told by the sign-in',
    failed(new OAuthError('authorization_denied', { issuer: 'https://as.example' })),
    undefined,
  ],
  [
    'of a sign-in that ends well is told by the sign-in',
    { type: 'connected', connection: connectionIn({ type: 'disconnected' }) },
    undefined,
  ],
] as const satisfies readonly (readonly [string, CallbackOutcome, RegExp | undefined])[]) {
  test(`P16 a callback ${title}`, () => {
    const text = strayText(outcome);
    if (says === undefined) assert.equal(text, undefined);
    else assert.match(text?.message ?? '', says);
  });
}
