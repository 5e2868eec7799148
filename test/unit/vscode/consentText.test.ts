import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientText, consentChoices, consentFacts, destinationText } from '../../../src/vscode/consentText.ts';

const destinations: readonly (readonly [redirectUri: string, where: string])[] = [
  ['http://127.0.0.1:33418/callback?x=1', '127.0.0.1:33418'],
  ['http://localhost/callback', 'localhost'],
  ['http://[::1]:8080/', '(::1):8080'],
  ['cursor://anysphere.cursor-retrieval/oauth/callback', 'cursor:'],
  ['com.example.app:/callback', 'com.example.app:'],
];

for (const [redirectUri, where] of destinations) {
  test(`P44 the answer to ${redirectUri} goes to ${where}`, () => {
    assert.equal(destinationText(redirectUri).where, where);
  });
}

test('P44 where the answer goes is said in words: a program of this computer, or an app', () => {
  assert.match(destinationText('http://127.0.0.1:33418/').explanation, /on this computer/);
  assert.match(destinationText('cursor://x/y').explanation, /app/);
});

test('P44 the name of a client is shown as its own claim, in quotes and without icons or links', () => {
  assert.equal(clientText('Claude Code'), '“Claude Code”');
  assert.equal(clientText('$(verified) [Good](command:x)'), '“$ (verified) (Good)(command:x)”');
  assert.equal(clientText(' \n '), 'A program without a name');
  assert.ok(clientText('x'.repeat(500)).length < 70);
});

test('P44 the question says who asks, for what, and where the answer goes, before anything can be chosen', () => {
  const facts = consentFacts(
    { type: 'client', name: 'Claude Code', redirectUri: 'http://127.0.0.1:33418/callback' },
    'Sample $(x) Notes',
  );
  const [who, where] = facts;
  assert.equal(who?.label, '“Claude Code” asks to use Sample $ (x) Notes');
  assert.match(who?.detail ?? '', /nobody has checked/);
  assert.match(where?.label ?? '', /127\.0\.0\.1:33418/);
});

test('an extension is named by the editor, not by us', () => {
  const [who, ...others] = consentFacts({ type: 'extension' }, 'Notes');
  assert.equal(who?.label, 'An extension of this editor asks to use Notes');
  assert.match(others.map(({ detail }) => detail).join(' '), /other extensions/);
});

function values(remembered?: '*' | readonly string[]): string {
  return consentChoices('Notes', remembered)
    .map(({ value }) => value)
    .join(' ');
}

test('P44 what was allowed before is offered and never taken for an answer', () => {
  assert.equal(values(), 'all tools deny');
  assert.equal(values('*'), 'all tools deny');
  assert.equal(values(['a', 'b']), 'same all tools deny');
  const [same] = consentChoices('Notes', ['a', 'b']);
  assert.equal(same?.label, 'Allow 2 Tools');
  assert.equal(same?.description, 'as before: a, b');
  assert.match(consentChoices('Notes', '*')[0]?.description ?? '', /^as before/);
});

test('allowing all says what all means', () => {
  const [all] = consentChoices('Notes');
  assert.match(all?.description ?? '', /all that Notes has.*to come/i);
});

test('P44 every answer is one line, or a low window would hide the last one, which denies', () => {
  assert.ok(consentChoices('Notes', ['a']).every(({ detail }) => detail === undefined));
});
