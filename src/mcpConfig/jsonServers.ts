import type { Node } from 'jsonc-parser';
import type { ConfigClient } from './configClient.ts';
import type { ConfigEdit, ConfigProblem, ConfigServers, ConfiguredServer, NewServer } from './configServers.ts';
import { type EntryChange, withChange } from './entryChange.ts';
import { dataOf, membersOf, parseJson, propertiesOf, rangeOf, valueAt, type Member } from './jsonDocument.ts';
import { appendToJson, cutFromJson, replaceInJson } from './jsonEdits.ts';
import { isRecord, sameData } from './sameData.ts';

type Format = Pick<ConfigClient, 'syntax' | 'serversKey'>;

/** Where VS Code keeps what it asks the person for. */
const INPUTS_KEY = 'inputs';

/** `readServers` of a file in JSON. */
export function readJson(text: string, { syntax, serversKey }: Format): ConfigServers {
  const { root, problems } = parseJson(text, syntax);
  const servers = valueAt(root, serversKey);
  const members = membersOf(servers);
  return {
    servers: members.map(serverOf),
    problems: [
      ...problems,
      ...noObject(root),
      ...noObject(servers),
      ...repeated(membersOf(root).filter(({ name }) => name === serversKey)),
      ...repeated(members),
    ],
  };
}

/** `addServer` to a file in JSON. */
export function addToJson(text: string, format: Format, server: NewServer, replace: boolean): ConfigEdit {
  const { servers, problems } = readJson(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const { name, entry, input } = server;
  const known = servers.find((one) => one.name === name);
  if (known !== undefined && !replace) return { type: 'exists', server: known };
  const added =
    known === undefined
      ? appendToJson(text, [format.serversKey], { name, value: entry })
      : replaceInJson(text, known.range, entry);
  return checked(text, input === undefined ? added : addInput(added, input), format, (data) => {
    data[format.serversKey] = { ...record(data[format.serversKey]), [name]: entry };
    const inputs = data[INPUTS_KEY] ?? [];
    if (input !== undefined && Array.isArray(inputs) && !hasInput(inputs, input.id)) {
      data[INPUTS_KEY] = [...inputs, input];
    }
  });
}

/** `removeServer` from a file in JSON. */
export function removeFromJson(text: string, format: Format, name: string): ConfigEdit {
  const { problems } = readJson(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const { root } = parseJson(text, format.syntax);
  const servers = valueAt(root, format.serversKey);
  const member = membersOf(servers).find((one) => one.name === name);
  if (servers === undefined || member === undefined) return { type: 'missing' };
  return checked(text, cutFromJson(text, servers, member.range), format, (data) => {
    const { [name]: _gone, ...rest } = record(data[format.serversKey]);
    data[format.serversKey] = rest;
  });
}

/** `changeServer` in a file in JSON. */
export function changeInJson(text: string, format: Format, name: string, changes: readonly EntryChange[]): ConfigEdit {
  const { servers, problems } = readJson(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const server = servers.find((one) => one.name === name);
  if (server === undefined) return { type: 'missing' };
  const after = changes.reduce((now, change) => changeOnce(now, format, name, change), text);
  return checked(text, after, format, (data) => {
    const entry = changes.reduce(withChange, server.entry);
    data[format.serversKey] = { ...record(data[format.serversKey]), [name]: entry };
  });
}

function changeOnce(text: string, { syntax, serversKey }: Format, name: string, change: EntryChange): string {
  const { path, value } = change;
  const node = nodeAt(parseJson(text, syntax).root, [serversKey, name, ...path]);
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
  { syntax }: Format,
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
