import { parse, stringify, TomlError } from 'smol-toml';
import type { ConfigClient, ServerEntry } from './configClient.ts';
import type {
  ConfigEdit,
  ConfigProblem,
  ConfigServers,
  ConfiguredServer,
  NewServer,
  TextRange,
} from './configServers.ts';
import { type EntryChange, withChange } from './entryChange.ts';
import { isRecord, sameData } from './sameData.ts';
import { applyEdits, cutLines, lineEnd, type TextEdit } from './textEdits.ts';
import { tomlStatements, type TomlStatement } from './tomlStatements.ts';

type Format = Pick<ConfigClient, 'serversKey'>;
type Data = Readonly<Record<string, unknown>>;

/** `readServers` of a file in TOML. */
export function readToml(text: string, { serversKey }: Format): ConfigServers {
  const { data, problem } = parsed(text);
  const statements = tomlStatements(text);
  const servers = data[serversKey];
  const entries = isRecord(servers) ? servers : {};
  const ours = statements.filter(({ path }) => path[0] === serversKey);
  const byName = new Map<string | undefined, TomlStatement[]>();
  for (const statement of ours) {
    const [, name] = statement.path;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [statement]);
    else known.push(statement);
  }
  /** Such as an inline table that holds all servers. */
  const general = byName.get(undefined) ?? [];
  const names = new Set([...byName.keys(), ...Object.keys(entries)]);
  const wrong = general[0];
  const isWrong = servers !== undefined && !isRecord(servers) && wrong !== undefined;
  return {
    servers: [...names].flatMap((name) =>
      name === undefined ? [] : serverOf(name, entries[name], byName.get(name) ?? general),
    ),
    problems: [
      ...(problem === undefined ? [] : [problem]),
      ...(isWrong ? [{ type: 'not_an_object' as const, range: wrong.range }] : []),
    ],
  };
}

/**
 * `addServer` to a file in TOML: as a table of its own, where the old one was or else at the end, which is right
 * wherever in the document it stands.
 */
export function addToToml(text: string, format: Format, server: NewServer, replace: boolean): ConfigEdit {
  const { servers, problems } = readToml(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const known = servers.find(({ name }) => name === server.name);
  if (known !== undefined && !replace) return { type: 'exists', server: known };
  const { serversKey } = format;
  const eol = lineEnd(text);
  const table = writeTable(serversKey, server.name, server.entry).replaceAll('\n', eol);
  const candidates =
    known === undefined
      ? [append(text, table, eol)]
      : replacements(text, statementsOf(text, serversKey, server.name), table, eol);
  return checked(text, candidates, format, (old) => ({ ...old, [server.name]: server.entry }));
}

/** `removeServer` from a file in TOML. */
export function removeFromToml(text: string, format: Format, name: string): ConfigEdit {
  const { servers, problems } = readToml(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  if (!servers.some((server) => server.name === name)) return { type: 'missing' };
  return checked(
    text,
    [cut(text, runsOf(statementsOf(text, format.serversKey, name)))],
    format,
    ({ [name]: _gone, ...rest }) => rest,
  );
}

/** `changeServer` in a file in TOML. */
export function changeInToml(text: string, format: Format, name: string, changes: readonly EntryChange[]): ConfigEdit {
  const { servers, problems } = readToml(text, format);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'broken', problem };
  const server = servers.find((one) => one.name === name);
  if (server === undefined) return { type: 'missing' };
  const after = changes.reduce((now, change) => changeOnce(now, format.serversKey, name, change), text);
  return checked(text, [after], format, (old) => ({ ...old, [name]: changes.reduce(withChange, server.entry) }));
}

function changeOnce(text: string, serversKey: string, name: string, { path, value }: EntryChange): string {
  const whole = [serversKey, name, ...path];
  const statements = statementsOf(text, serversKey, name);
  if (value !== undefined) {
    const leaf = statements.flatMap(({ leaves }) => leaves).find((one) => sameData(one.path, whole));
    return leaf === undefined ? text : applyEdits(text, [{ ...leaf.range, text: JSON.stringify(value) }]);
  }
  const below = statements.filter((one) => sameData(one.path.slice(0, whole.length), whole));
  if (below.length > 0) return cut(text, runsOf(below));
  const member = statements.flatMap(({ members }) => members).find((one) => sameData(one.path, whole));
  return member === undefined ? text : applyEdits(text, [cutMember(text, member.range)]);
}

/** The edit that cuts a pair or an element out, with the comma that is then too many. */
function cutMember(text: string, { offset, length }: TextRange): TextEdit {
  const end = offset + length;
  const after = /^\s*,[\t ]*/.exec(text.slice(end))?.[0].length;
  if (after !== undefined) return { offset, length: length + after, text: '' };
  const before = /(?:,\s*)?$/.exec(text.slice(0, offset))?.[0].length ?? 0;
  return { offset: offset - before, length: length + before, text: '' };
}

/** The first of the texts that says what the old one did but for the change that was meant. */
function checked(
  before: string,
  candidates: readonly string[],
  { serversKey }: Format,
  change: (servers: Data) => Data,
): ConfigEdit {
  const { [serversKey]: servers, ...rest } = parsed(before).data;
  const expected = change(isRecord(servers) ? servers : {});
  for (const text of candidates) {
    const { data, problem } = parsed(text);
    const { [serversKey]: found = {}, ...others } = data;
    if (problem === undefined && sameData(others, rest) && sameData(found, expected)) return { type: 'edited', text };
  }
  return { type: 'broken', problem: { type: 'unusual', range: { offset: 0, length: before.length } } };
}

function parsed(text: string): { readonly data: Data; readonly problem?: ConfigProblem } {
  try {
    return { data: parse(text, { integersAsBigInt: 'asNeeded' }) };
  } catch (error) {
    const offset = error instanceof TomlError ? offsetOf(text, error.line, error.column) : 0;
    return { data: {}, problem: { type: 'syntax', range: { offset, length: 0 } } };
  }
}

/** The offset of a line and a column, both from 1 on. */
function offsetOf(text: string, line: number, column: number): number {
  const before = text.split('\n').slice(0, line - 1);
  return Math.min(text.length, before.join('\n').length + (before.length === 0 ? 0 : 1) + column - 1);
}

function writeTable(serversKey: string, name: string, entry: ServerEntry): string {
  return stringify({ [serversKey]: { [name]: entry } });
}

function append(text: string, table: string, eol: string): string {
  const head = text.trim() === '' ? '' : text.trimEnd() + eol + eol;
  return head === '' ? table : head + table;
}

function replacements(text: string, own: readonly TomlStatement[], table: string, eol: string): string[] {
  const runs = runsOf(own);
  const [first] = runs;
  const atEnd = append(cut(text, runs), table, eol);
  if (first === undefined) return [atEnd];
  const others = runs.slice(1).map((run) => cutLines(text, run));
  return [applyEdits(text, [{ ...cutLines(text, first), text: table }, ...others]), atEnd];
}

function cut(text: string, runs: readonly TextRange[]): string {
  const after = applyEdits(
    text,
    runs.map((run) => cutTable(text, run)),
  );
  // The blank line that set the table apart.
  const isLast = runs.some((run) => text.slice(run.offset + run.length).trim() === '');
  return isLast && after.trim() !== '' ? after.trimEnd() + lineEnd(text) : after;
}

/** The edit that cuts whole lines out, and one of two blank lines that would then follow each other. */
function cutTable(text: string, run: TextRange): TextEdit {
  const lines = cutLines(text, run);
  const isAfterBlank = /(?:^|\n)\r?\n$/.test(text.slice(0, lines.offset));
  const blank = isAfterBlank ? /^[\t ]*\r?\n/.exec(text.slice(lines.offset + lines.length))?.[0] : undefined;
  return { ...lines, length: lines.length + (blank?.length ?? 0) };
}

function statementsOf(text: string, serversKey: string, name: string): TomlStatement[] {
  return tomlStatements(text).filter(({ path }) => path[0] === serversKey && path[1] === name);
}

/** The stretches of the text in which these statements follow each other, comments between them included. */
function runsOf(statements: readonly TomlStatement[]): TextRange[] {
  const runs: TextRange[] = [];
  let index = -2;
  for (const statement of statements) {
    const { offset, length } = statement.range;
    const last = statement.index === index + 1 ? runs.pop() : undefined;
    const start = last?.offset ?? offset;
    runs.push({ offset: start, length: offset + length - start });
    index = statement.index;
  }
  return runs;
}

/** @param own the statements of the server, or else those in which it is told with others */
function serverOf(name: string, entry: unknown, own: readonly TomlStatement[]): ConfiguredServer | [] {
  const [first] = own;
  if (first === undefined) return [];
  const leaves = own.flatMap((statement) => statement.leaves).filter(({ path }) => path[1] === name);
  return {
    name,
    nameRange: first.keyRanges[1] ?? first.range,
    range: runsOf(own)[0] ?? first.range,
    entry,
    properties: leaves.map(({ path, range }) => ({
      path: path.slice(2),
      value: at(entry, path.slice(2)),
      range,
    })),
  };
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((found, part) => {
    if (Array.isArray(found)) return typeof part === 'number' ? found[part] : undefined;
    return isRecord(found) ? found[part] : undefined;
  }, value);
}
