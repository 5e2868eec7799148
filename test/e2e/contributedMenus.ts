import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { REPOSITORY } from '../stand/standPaths.ts';

const entrySchema = v.object({
  command: v.string(),
  when: v.optional(v.string(), 'true'),
  group: v.optional(v.string(), ''),
});
type MenuEntry = v.InferOutput<typeof entrySchema>;

const menuSchema = v.optional(v.array(entrySchema), []);
const manifestSchema = v.object({
  contributes: v.object({
    commands: v.array(v.object({ command: v.string(), title: v.string(), category: v.string() })),
    menus: v.object({ 'view/title': menuSchema, 'view/item/context': menuSchema, commandPalette: menuSchema }),
  }),
});

/** The context keys that are set, with what they are set to. */
export type Context = Readonly<Record<string, string>>;

export interface ContributedCommand {
  readonly id: string;
  /** As in a menu, without the category. */
  readonly title: string;
}

/** What package.json says of commands, and where they are shown. */
export interface ContributedMenus {
  readonly commands: readonly ContributedCommand[];
  /** What the palette shows, in the order of package.json. */
  palette(context: Context): ContributedCommand[];
  /** What the menu of a row shows, from the top; `flags` is the row's `viewItem`. */
  row(flags: string): ContributedCommand[];
  /** The icons at the end of a row, from the left. */
  rowIcons(flags: string): ContributedCommand[];
  /** The icons in the title of the view, from the left. */
  titleIcons(context: Context): ContributedCommand[];
  /** What is behind the dots in the title of the view. */
  titleMenu(context: Context): ContributedCommand[];
}

const VIEW = { view: 'scopekeeper.servers' };

/** Reads package.json as the editor does, so far as this extension uses it. */
export async function readContributedMenus(): Promise<ContributedMenus> {
  const titles = v.parse(v.record(v.string(), v.string()), await readJson('package.nls.json'));
  const { commands: declared, menus } = v.parse(manifestSchema, await readJson('package.json')).contributes;
  const commands = declared.map(({ command, title }) => ({
    id: command,
    title: titles[title.replaceAll('%', '')] ?? title,
  }));
  const hidden = new Map(menus.commandPalette.map(({ command, when }) => [command, when]));
  const shown = (entries: readonly MenuEntry[], context: Context, isIcon: boolean): ContributedCommand[] =>
    entries
      .filter(
        ({ when, group }) => /^(inline|navigation)/.test(group) === isIcon && holds(when, { ...VIEW, ...context }),
      )
      .toSorted((one, other) => placeOf(one).localeCompare(placeOf(other)))
      .flatMap(({ command }) => commands.filter(({ id }) => id === command));
  return {
    commands,
    palette: (context) => commands.filter(({ id }) => holds(hidden.get(id) ?? 'true', context)),
    row: (flags) => shown(menus['view/item/context'], { viewItem: flags }, false),
    rowIcons: (flags) => shown(menus['view/item/context'], { viewItem: flags }, true),
    titleIcons: (context) => shown(menus['view/title'], context, true),
    titleMenu: (context) => shown(menus['view/title'], context, false),
  };
}

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(path.join(REPOSITORY, name), 'utf8'));
}

/** Groups are sorted by their name, and within one by the number after the @. */
function placeOf({ group }: MenuEntry): string {
  const [name = '', order = '0'] = group.split('@');
  return `${name}@${order.padStart(4, '0')}`;
}

/** Whether a `when` clause holds: `&&` binds more than `||`; there are no parentheses. */
function holds(when: string, context: Context): boolean {
  return when.split('||').some((all) => all.split('&&').every((one) => holdsAlone(one.trim(), context)));
}

function holdsAlone(condition: string, context: Context): boolean {
  if (condition === 'true' || condition === 'false') return condition === 'true';
  const [, key = '', operator, value = ''] = /^!?([\w.]+)(?:\s*(==|!=|=~)\s*(.+))?$/.exec(condition) ?? [];
  if (key === '') throw new Error(`This test cannot read the condition ${condition}.`);
  const actual = context[key];
  const isSo = {
    '==': actual === value,
    '!=': actual !== value,
    '=~': new RegExp(value.replaceAll(/^\/|\/$/g, '')).test(actual ?? ''),
    '': actual !== undefined,
  }[operator ?? ''];
  return isSo === !condition.startsWith('!');
}
