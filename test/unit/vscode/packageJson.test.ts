import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as v from 'valibot';
import { commandIds, contextKeys, panelIds, settingIds, viewIds } from '../../../src/vscode/ids.ts';

const menuEntry = v.object({ command: v.string(), when: v.string(), group: v.optional(v.string()) });
const manifestSchema = v.object({
  activationEvents: v.array(v.string()),
  capabilities: v.object({
    untrustedWorkspaces: v.object({
      supported: v.literal('limited'),
      description: v.string(),
      restrictedConfigurations: v.array(v.string()),
    }),
    virtualWorkspaces: v.object({ supported: v.literal('limited'), description: v.string() }),
  }),
  contributes: v.object({
    commands: v.array(v.object({ command: v.string(), title: v.string(), category: v.string() })),
    viewsContainers: v.object({
      activitybar: v.array(v.object({ id: v.string(), title: v.string(), icon: v.string() })),
    }),
    views: v.record(v.string(), v.array(v.object({ id: v.string(), name: v.string() }))),
    viewsWelcome: v.array(v.object({ view: v.string(), contents: v.string(), when: v.string() })),
    walkthroughs: v.array(
      v.object({
        id: v.string(),
        title: v.string(),
        steps: v.array(
          v.object({
            description: v.string(),
            media: v.object({ svg: v.string(), altText: v.string() }),
            completionEvents: v.array(v.string()),
          }),
        ),
      }),
    ),
    menus: v.record(v.string(), v.array(menuEntry)),
    configuration: v.object({ properties: v.record(v.string(), v.object({ scope: v.string() })) }),
  }),
});

/** Commands of the editor itself that our texts link to. */
const EDITORS_COMMANDS = new Set([
  'workbench.action.openWalkthrough',
  'workbench.action.reloadWindow',
  `${viewIds.servers}.focus`,
]);

const text = readFileSync('package.json', 'utf8');
const { activationEvents, capabilities, contributes } = v.parse(manifestSchema, JSON.parse(text));
const nls = v.parse(v.record(v.string(), v.string()), JSON.parse(readFileSync('package.nls.json', 'utf8')));
const known = new Set<string>(Object.values(commandIds));

test('package.json declares exactly the commands that are registered, each with title and category', () => {
  assert.deepEqual(new Set(contributes.commands.map(({ command }) => command)), known);
  for (const { title, category } of contributes.commands) {
    assert.equal(category, 'Scopekeeper');
    assert.match(title, /^%command\.\w+%$/);
  }
});

test('every text is in package.nls.json, and none there is unused', () => {
  const used = new Set(Array.from(text.matchAll(/"%([\w.]+)%"/g), (match) => match[1]));
  assert.deepEqual(used, new Set(Object.keys(nls)));
});

test('the settings are those of ids.ts, and no workspace can set them', () => {
  const { properties } = contributes.configuration;
  assert.deepEqual(Object.keys(properties), Object.values(settingIds));
  for (const { scope } of Object.values(properties)) assert.ok(['application', 'machine'].includes(scope), scope);
  assert.deepEqual(capabilities.untrustedWorkspaces.restrictedConfigurations, Object.values(settingIds));
});

test('menus name existing commands, and every command is in the palette only when it makes sense', () => {
  for (const entries of Object.values(contributes.menus)) {
    for (const { command } of entries) assert.ok(known.has(command), command);
  }
  const inPalette = new Set((contributes.menus['commandPalette'] ?? []).map(({ command }) => command));
  const always = [...known].filter((command) => !inPalette.has(command));
  assert.deepEqual(always, [
    commandIds.connectServer,
    commandIds.importServers,
    commandIds.exportDiagnostics,
    commandIds.diagnoseConnection,
    commandIds.showLog,
    commandIds.trySampleServer,
  ]);
});

test('views, containers and context keys are those of ids.ts', () => {
  assert.deepEqual(
    contributes.viewsContainers.activitybar.map(({ id }) => id),
    [viewIds.container],
  );
  assert.deepEqual(
    contributes.views[viewIds.container]?.map(({ id }) => id),
    [viewIds.servers],
  );
  const keys = new Set(Object.values<string>(contextKeys));
  const whens = [...Object.values(contributes.menus).flat(), ...contributes.viewsWelcome].map(({ when }) => when);
  for (const when of whens) {
    for (const [key] of when.matchAll(/scopekeeper\.\w+/g)) {
      assert.ok(keys.has(key) || key === viewIds.servers, `${key} in ${when}`);
    }
  }
});

/** The commands that a text of package.nls.json links to. */
function linkedCommands(text: string): string[] {
  const words = nls[text.replaceAll('%', '')] ?? '';
  return Array.from(words.matchAll(/\(command:([\w.]+)(?:\?[^)]*)?\)/g), (match) => match[1] ?? '');
}

test('links in the welcome texts and the walkthrough run existing commands', () => {
  const texts = [
    ...contributes.viewsWelcome.map(({ contents }) => contents),
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
  ];
  for (const each of texts) {
    const commands = linkedCommands(each);
    assert.ok(commands.length > 0, each);
    for (const command of commands) assert.ok(known.has(command) || EDITORS_COMMANDS.has(command), command);
  }
});

test('P23 the step for more scopes, or for less, leads to both commands, and ends by either', () => {
  const both = ['scopekeeper.chooseScopes', 'scopekeeper.reauthorize'];
  const { description, completionEvents } = contributes.walkthroughs[0]?.steps.at(-1) ?? assert.fail();
  assert.deepEqual(linkedCommands(description).toSorted(), both);
  assert.deepEqual(
    completionEvents.toSorted(),
    both.map((command) => `onCommand:${command}`),
  );
});

test('a step of the walkthrough ends by what exists, and its picture has the colours of the theme', () => {
  const [walkthrough, ...more] = contributes.walkthroughs;
  assert.deepEqual([walkthrough?.id, walkthrough?.steps.length, more], ['firstMinutes', 4, []]);
  for (const { completionEvents, media } of walkthrough?.steps ?? []) {
    for (const event of completionEvents) {
      const [kind, name = ''] = event.split(':');
      const names = new Map<string | undefined, readonly string[]>([
        ['onCommand', [...known, ...EDITORS_COMMANDS]],
        ['onContext', Object.keys(contextKeys)],
        ['onView', [viewIds.servers]],
      ]);
      const isThere = names.get(kind)?.includes(name) === true;
      assert.ok(isThere, event);
    }
    const svg = readFileSync(media.svg, 'utf8');
    assert.ok(svg.length < 6000, media.svg);
    assert.match(svg, /var\(--vscode-/);
    assert.doesNotMatch(svg, /#[0-9a-f]{3,8}\b|rgb|href|<script|<image/i);
  }
});

test('the extension starts after the editor has, or with a view of it that was open before', () => {
  assert.deepEqual(activationEvents, ['onStartupFinished', `onWebviewPanel:${panelIds.details}`]);
});
