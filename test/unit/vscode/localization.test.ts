import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as v from 'valibot';
import { setLanguage, t, translatorOf } from '../../../src/vscode/localize.ts';

/** Where words are made. */
const FOLDERS = [path.join('src', 'vscode'), path.join('src', 'languageServer')];
const BUNDLE = path.join('l10n', 'bundle.l10n.json');

/** The files that may make words, also in subfolders. */
function sourceFiles(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(folder, file)),
  );
}

/** Every literal that is given to `t`. */
function messages(): string[] {
  const sources = sourceFiles().map((file) => readFileSync(file, 'utf8'));
  const found = sources.flatMap((source) =>
    Array.from(
      source.matchAll(/(?<![\w.])t\(\s*'((?:[^'\\]|\\.)*)'/g),
      (match) => match[1]?.replaceAll("\\'", "'") ?? '',
    ),
  );
  return [...new Set(found)].sort();
}

test('l10n/bundle.l10n.json holds every message for translators (UPDATE_L10N=1 writes it anew)', () => {
  const expected = Object.fromEntries(messages().map((message) => [message, message]));
  if (process.env['UPDATE_L10N'] === '1') writeFileSync(BUNDLE, `${JSON.stringify(expected, undefined, 2)}\n`);
  assert.deepEqual(JSON.parse(readFileSync(BUNDLE, 'utf8')), expected);
});

/** What of a message is not for translators: places that are filled in, and icons. */
function fixedParts(message: string): string[] {
  return (message.match(/\{\d+\}|\$\([a-z~-]+\)|\(command:[^)]+\)/g) ?? []).sort();
}

for (const [title, english, translated] of [
  ['what the extension says', BUNDLE, path.join('l10n', 'bundle.l10n.de.json')],
  ['what package.json says', 'package.nls.json', 'package.nls.de.json'],
] as const) {
  test(`${title} is there in German, whole, with all its places, icons and commands`, () => {
    const messages = readMessages(english);
    const translations = readMessages(translated);
    assert.deepEqual([...translations.keys()].sort(), [...messages.keys()].sort());
    for (const [key, message] of messages) {
      assert.deepEqual(fixedParts(translations.get(key) ?? ''), fixedParts(message), key);
    }
  });
}

function readMessages(file: string): Map<string, string> {
  return new Map(Object.entries(v.parse(v.record(v.string(), v.string()), JSON.parse(readFileSync(file, 'utf8')))));
}

test('every call of t gives a literal, so that it can be found and translated', () => {
  for (const file of sourceFiles()) {
    if (path.basename(file) === 'localize.ts') continue;
    const source = readFileSync(file, 'utf8');
    assert.doesNotMatch(source, /(?<![\w.])t\(\s*[^'\s]/, file);
  }
});

test('a translation is used, and its places are filled in', (context) => {
  assert.equal(t('{0} of {1}', 1, 2), '1 of 2');
  assert.equal(t('{0} {9}', 'a'), 'a {9}');
  context.after(() =>
    setLanguage(
      (message, ...args) => message.replaceAll(/\{(\d+)\}/g, (_, index) => String(args[Number(index)])),
      'en',
    ),
  );
  setLanguage((message, ...args) => `de: ${message} ${args.join(',')}`, 'de');
  assert.equal(t('{0} h', 3), 'de: {0} h 3');
});

test('a bundle is used where it has the message, and English where it has not', () => {
  const translate = translatorOf({ '{0} h': '{0} Std.', constructor: 'Erbauer' });
  assert.equal(translate('{0} h', 3), '3 Std.');
  assert.equal(translate('{0} min', 3), '3 min');
  assert.equal(translate('toString'), 'toString');
});
