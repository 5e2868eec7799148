import { createScanner, type Node } from 'jsonc-parser';
import type { ConfigValue } from './configClient.ts';
import type { TextRange } from './configServers.ts';
import { parseJson, valueAt } from './jsonDocument.ts';
import { applyEdits, cutLines, indentationAt, indentationUnit, lineEnd, type TextEdit } from './textEdits.ts';

/** What is put into an object under a name, or into an array. */
interface Addition {
  readonly name?: string;
  readonly value: ConfigValue;
}

/**
 * Puts something at the end of the object or array at `path`; what is missing on the way there is made, an empty text
 * too. The text must have no problems.
 */
export function appendToJson(text: string, path: readonly string[], addition: Addition): string {
  const { root } = parseJson(text, 'jsonc');
  if (root === undefined) {
    const eol = lineEnd(text);
    const head = text.trim() === '' ? '' : `${text.trimEnd()}${eol}`;
    return head + write(nested(path, addition), { eol, unit: indentationUnit(text), base: '' }) + eol;
  }
  let container = root;
  for (const [index, key] of path.entries()) {
    const next = valueAt(container, key);
    if (next === undefined) {
      return appendTo(text, container, { name: key, value: nested(path.slice(index + 1), addition) });
    }
    container = next;
  }
  return appendTo(text, container, addition);
}

/** Puts `value` where another value is, indented as its line is. */
export function replaceInJson(text: string, range: TextRange, value: ConfigValue): string {
  const isOneLine = !text.includes('\n');
  const layout = { eol: lineEnd(text), unit: indentationUnit(text), base: indentationAt(text, range.offset) };
  const written = isOneLine ? writeInline(value, hasGaps(text)) : write(value, layout);
  return applyEdits(text, [{ ...range, text: written }]);
}

/** Cuts a member out of its container, with the comma that is then too many, and the lines that were only for it. */
export function cutFromJson(text: string, container: Node, member: TextRange): string {
  const end = member.offset + member.length;
  const lines = cutLines(text, member);
  const after = nextToken(text, end);
  if (text[after] === ',') {
    const isNext = text.slice(end, after).trim() === '';
    const both = { offset: member.offset, length: after + 1 - member.offset };
    if (isNext) return applyEdits(text, [cutLines(text, both)]);
    return applyEdits(text, [lines, { offset: after, length: 1, text: '' }]);
  }
  const before = (container.children ?? []).findLast(({ offset }) => offset < member.offset);
  if (before === undefined) return applyEdits(text, [lines]);
  const comma = nextToken(text, before.offset + before.length);
  const isBehind = /^[\t ]*$/.test(text.slice(comma + 1, member.offset));
  if (isBehind) return applyEdits(text, [{ offset: comma, length: end - comma, text: '' }]);
  return applyEdits(text, [{ offset: comma, length: 1, text: '' }, lines]);
}

function nested(path: readonly string[], { name, value }: Addition): ConfigValue {
  const inner: ConfigValue = name === undefined ? [value] : { [name]: value };
  return path.reduceRight<ConfigValue>((below, key) => ({ [key]: below }), inner);
}

/** Puts a member at the end of a container, after all comments in it, laid out as the container is. */
function appendTo(text: string, container: Node, { name, value }: Addition): string {
  const close = container.offset + container.length - 1;
  const first = container.children?.[0];
  const last = container.children?.at(-1);
  const eol = lineEnd(text);
  const unit = indentationUnit(text);
  const isEmpty = first === undefined;
  const isOneLine = !text.slice(container.offset, close).includes('\n');
  const key = name === undefined ? '' : `${JSON.stringify(name)}:`;
  if (isOneLine && !(isEmpty && (text.includes('\n') || text.trim() === '{}'))) {
    const gap = hasGaps(text) ? ' ' : '';
    const inline = `${key}${key === '' ? '' : gap}${writeInline(value, gap !== '')}`;
    const at = contentEnd(text, last === undefined ? container.offset + 1 : last.offset + last.length, close);
    return insert(text, last, at, inline, isEmpty ? '' : gap);
  }
  const outer = indentationAt(text, container.offset);
  const base = first === undefined || isOneLine ? outer + unit : indentationAt(text, first.offset);
  const member = `${key}${key === '' ? '' : ' '}${write(value, { eol, unit, base })}`;
  const at = contentEnd(text, last === undefined ? container.offset + 1 : last.offset + last.length, close);
  const tail = text.slice(at, close).includes('\n') ? '' : eol + outer;
  return insert(text, last, at, `${member}${tail}`, eol + base);
}

/** Inserts a member at `at`, and a comma right behind the one before it unless there is one. */
function insert(text: string, last: Node | undefined, at: number, member: string, separator: string): string {
  const edits: TextEdit[] = [{ offset: at, length: 0, text: separator + member }];
  if (last !== undefined) {
    const end = last.offset + last.length;
    if (text[nextToken(text, end)] !== ',') {
      // One edit, for two at one place have no order.
      if (end === at) return applyEdits(text, [{ offset: at, length: 0, text: `,${separator}${member}` }]);
      edits.push({ offset: end, length: 0, text: ',' });
    }
  }
  return applyEdits(text, edits);
}

/** Where the last token or comment between `start` and `close` ends. */
function contentEnd(text: string, start: number, close: number): number {
  return start + text.slice(start, close).trimEnd().length;
}

/** Where the first token at or after `offset` begins that is neither blank nor comment. */
function nextToken(text: string, offset: number): number {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  scanner.scan();
  return scanner.getTokenOffset();
}

/** Whether a text on one line has blanks between its parts. */
function hasGaps(text: string): boolean {
  return /["\d\]}] *[:,] /.test(text);
}

interface Layout {
  readonly eol: string;
  readonly unit: string;
  /** What the line begins with on which the value does. */
  readonly base: string;
}

function write(value: ConfigValue, { eol, unit, base }: Layout): string {
  return JSON.stringify(value, undefined, unit).replaceAll('\n', eol + base);
}

function writeInline(value: ConfigValue, gaps: boolean): string {
  if (!gaps) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one) => writeInline(one, gaps)).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${writeInline(one, gaps)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
