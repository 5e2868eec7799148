import type { Node } from 'jsonc-parser';
import type {
  ConfigEdit,
  ConfigFormat,
  ConfigProblem,
  ConfigServers,
  ConfiguredServer,
  NewServer,
} from './configServers.ts';
import { type EntryChange, withChange } from './entryChange.ts';
import { dataOf, membersOf, parseJson, propertiesOf, rangeOf, valueAt, type Member } from './jsonDocument.ts';
import { appendToJson, cutFromJson, replaceInJson } from './jsonEdits.ts';
import { isRecord, sameData } from './sameData.ts';

/** Where VS Code keeps what it asks the person for. */
const INPUTS_KEY = 'inputs';

/** `readServers` of a file in JSON. */
export function readJson(text: string, format: ConfigFormat): ConfigServers {
  const { root, problems } = parseJson(text, format.syntax);
  const wrong = [...problems];
  let object = root;
  for (const key of keysOf(format)) {
    wrong.push(...noObject(object), ...repeated(membersOf(object).filter(({ name }) => name === key)));
    object = valueAt(object, key);
  }
  const members = membersOf(object);
  return { servers: members.map(serverOf), problems: [...wrong, ...noObject(object), ...repeated(members)] };
}

/** The names that lead from the top of the file to its servers. */
function keysOf({ within = [], serversKey }: ConfigFormat): readonly string[] {
  return [...within, serversKey];
}

/** `addServer` to a file in JSON. */
export function addToJson(text: string, format: ConfigFormat, server: NewServer, replace: boolean): ConfigEdit {
  const { servers, problems } = readJson(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const { name, entry, input } = server;
  const known = servers.find((one) => one.name === name);
  if (known !== undefined && !replace) return { type: 'exists', server: known };
  const added =
    known === undefined
      ? appendToJson(text, keysOf(format), { name, value: entry })
      : replaceInJson(text, known.range, entry);
  return checked(text, input === undefined ? added : addInput(added, input), format, (data) => {
    setAt(data, keysOf(format), (old) => ({ ...old, [name]: entry }));
    const inputs = data[INPUTS_KEY] ?? [];
    if (input !== undefined && Array.isArray(inputs) && !hasInput(inputs, input.id)) {
      data[INPUTS_KEY] = [...inputs, input];
    }
  });
}

/** `removeServer` from a file in JSON. */
export function removeFromJson(text: string, format: ConfigFormat, name: string): ConfigEdit {
  const { problems } = readJson(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const { root } = parseJson(text, format.syntax);
  const servers = nodeAt(root, keysOf(format));
  const member = membersOf(servers).find((one) => one.name === name);
  if (servers === undefined || member === undefined) return { type: 'missing' };
  return checked(text, cutFromJson(text, servers, member.range), format, (data) => {
    setAt(data, keysOf(format), ({ [name]: _gone, ...rest }) => rest);
  });
}

/** `changeServer` in a file in JSON. */
export function changeInJson(
  text: string,
  format: ConfigFormat,
  name: string,
  changes: readonly EntryChange[],
): ConfigEdit {
  const { servers, problems } = readJson(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const server = servers.find((one) => one.name === name);
  if (server === undefined) return { type: 'missing' };
  const after = changes.reduce((now, change) => changeOnce(now, format, name, change), text);
  return checked(text, after, format, (data) => {
    const entry = changes.reduce(withChange, server.entry);
    setAt(data, keysOf(format), (old) => ({ ...old, [name]: entry }));
  });
}

function changeOnce(text: string, format: ConfigFormat, name: string, change: EntryChange): string {
  const { path, value } = change;
  const node = nodeAt(parseJson(text, format.syntax).root, [...keysOf(format), name, ...path]);
  if (node === undefined) return text;
  if (value !== undefined) return replaceInJson(text, rangeOf(node), value);
  // A member of an object is its name and its value.
  const member = node.parent?.type === 'property' ? node.parent : node;
  return member.parent === undefined ? text : cutFromJson(text, member.parent, rangeOf(member));
}

function nodeAt(root: Node | undefined, path: EntryChange['path']): Node | undefined {
  return path.reduce<Node | undefined>((node, part) => {
    if (typeof part === 'string') return valueAt(node, part);
    return node?.type === 'array' ? node.children?.[part] : undefined;
  }, root);
}

/**
 * What came of an edit, once it is sure that the new text says what the old one did but for the change that was meant.
 * @param change makes of the old data what the new text is to say
 */
function checked(
  before: string,
  after: string,
  { syntax }: ConfigFormat,
  change: (data: Record<string, unknown>) => void,
): ConfigEdit {
  const expected = { ...record(dataOf(parseJson(before, syntax).root)) };
  change(expected);
  const { root, problems } = parseJson(after, syntax);
  if (problems.length === 0 && sameData(dataOf(root), expected)) return { type: 'edited', text: after };
  return { type: 'broken', problem: { type: 'unusual', range: { offset: 0, length: before.length } } };
}

function addInput(text: string, input: NonNullable<NewServer['input']>): string {
  const inputs = dataOf(valueAt(parseJson(text, 'jsonc').root, INPUTS_KEY));
  const isThere = Array.isArray(inputs) && hasInput(inputs, input.id);
  return isThere ? text : appendToJson(text, [INPUTS_KEY], { value: input });
}

function hasInput(inputs: readonly unknown[], id: string): boolean {
  return inputs.some((one) => isRecord(one) && one['id'] === id);
}

/** Changes the object at `path`, and leaves those around it as they were: what was parsed is shared. */
function setAt(
  data: Record<string, unknown>,
  [key, ...rest]: readonly string[],
  change: (old: Readonly<Record<string, unknown>>) => unknown,
): void {
  if (key === undefined) return;
  const old = { ...record(data[key]) };
  if (rest.length > 0) setAt(old, rest, change);
  data[key] = rest.length > 0 ? old : change(old);
}

function record(data: unknown): Readonly<Record<string, unknown>> {
  return isRecord(data) ? data : {};
}

function serverOf({ name, nameNode, value, range }: Member): ConfiguredServer {
  return {
    name,
    nameRange: rangeOf(nameNode),
    range: value === undefined ? range : rangeOf(value),
    entry: dataOf(value),
    properties: value === undefined ? [] : propertiesOf(value),
  };
}

function noObject(node: Node | undefined): ConfigProblem[] {
  return node === undefined || node.type === 'object' ? [] : [{ type: 'not_an_object', range: rangeOf(node) }];
}

/** The later ones of members with one name; readers take the last, and people see the first. */
function repeated(members: readonly Member[]): ConfigProblem[] {
  const seen = new Set<string>();
  return members.flatMap(({ name, nameNode }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ type: 'duplicate' as const, range: rangeOf(nameNode) }];
  });
}
