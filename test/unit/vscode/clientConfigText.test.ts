import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TokenPlace } from '../../../src/mcpConfig/configClient.ts';
import type { ConfigProblem } from '../../../src/mcpConfig/configServers.ts';
import {
  configProblemText,
  fileFailureText,
  homePath,
  scopeText,
  signInStepText,
  targetText,
  tokenPlaceText,
  tokenStepText,
} from '../../../src/vscode/clientConfigText.ts';
import { clientOf } from '../mcpConfig/clientOf.ts';

const FILE = '~/.gemini/settings.json';
const gemini = clientOf('gemini');

describe('words about the files of other clients', () => {
  for (const [path, shown] of [
    ['/home/me/.gemini/settings.json', FILE],
    ['/home/meagan/x', '/home/meagan/x'],
    ['/etc/x', '/etc/x'],
    ['/home/me/[a](command:b)$(c)', '~/(a)(command:b)$ (c)'],
  ] as const) {
    test(`${path} is shown as ${shown}`, () => {
      assert.equal(homePath(path, '/home/me'), shown);
    });
  }

  const places: readonly (readonly [TokenPlace['type'], RegExp, RegExp])[] = [
    ['input', /not in the file/, /paste it when/],
    ['variable', /not in the file/, /environment variable VAR/],
    ['file', /written into ~\/\.gemini\/settings\.json in the clear/, /Start Gemini CLI anew/],
  ];
  for (const [type, place, next] of places) {
    test(`P36 where a token goes is said before and after: ${type}`, () => {
      assert.match(tokenPlaceText({ type }, gemini, FILE), place);
      assert.match(tokenStepText({ type }, gemini, 'VAR'), next);
    });
  }

  const problems: Readonly<Record<ConfigProblem['type'], RegExp>> = {
    syntax: /error in line 7/,
    comment: /line 7, which Gemini CLI does not read/,
    trailing_comma: /line 7, which Gemini CLI does not read/,
    duplicate: /twice, again in line 7/,
    not_an_object: /in line 7 where servers should be/,
    unusual: /does not edit\. Copy/,
  };
  for (const [type, words] of Object.entries(problems)) {
    test(`a file that is left alone is named, with the line and what to do: ${type}`, () => {
      const known = Object.keys(problems).find((one): one is ConfigProblem['type'] => one === type);
      assert.ok(known);
      const text = configProblemText({ type: known, range: { offset: 0, length: 0 } }, gemini, FILE, 7);
      assert.match(text, words);
      assert.ok(text.startsWith(FILE));
    });
  }

  for (const [problem, words] of [
    ['changed', /Another program has written/],
    ['not_text', /UTF-8/],
    ['EACCES', /You may not write .* \(EACCES\)/],
    ['EROFS', /You may not write .* \(EROFS\)/],
    ['ENOSPC', /disk is full/],
    ['EIO', /\(EIO\)/],
  ] as const) {
    test(`why a file could not be written: ${problem}`, () => {
      assert.match(fileFailureText(problem, FILE), words);
      assert.ok(fileFailureText(problem, FILE).includes(FILE));
    });
  }

  test('what comes next is that of the client', () => {
    assert.match(signInStepText(clientOf('codex'), 'a'), /codex mcp login a/);
    assert.match(signInStepText(clientOf('jetbrains'), 'a'), /Settings \| Tools \| AI Assistant/);
    assert.match(signInStepText(gemini, 'a'), /When Gemini CLI signs in/);
  });

  test('files of one client differ in the list', () => {
    const [user, workspace] = gemini.files({ platform: 'linux', home: '/h', workspace: '/w' });
    assert.ok(user && workspace);
    assert.notEqual(targetText(user, gemini), targetText(workspace, gemini));
    assert.notEqual(scopeText(user), scopeText(workspace));
  });
});
