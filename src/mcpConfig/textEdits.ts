import type { TextRange } from './configServers.ts';

/** A part of a text that gives way to another text. */
export interface TextEdit extends TextRange {
  readonly text: string;
}

/** Applies edits that do not overlap, whatever their order. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return edits
    .toSorted((a, b) => b.offset - a.offset)
    .reduce(
      (done, { offset, length, text: inserted }) => done.slice(0, offset) + inserted + done.slice(offset + length),
      text,
    );
}

/** The line end that a text uses first; that of Unix in one that has none. */
export function lineEnd(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** The blanks that the line at `offset` begins with. */
export function indentationAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[\t ]*/.exec(text.slice(start, offset))?.[0] ?? '';
}

/** What one step of indentation is in this text: that of its first indented line. Two blanks if there is none. */
export function indentationUnit(text: string): string {
  return /^(?:\t| +)(?=["}\]{[])/m.exec(text)?.[0] ?? '  ';
}

/**
 * The range together with the rest of its lines, when nothing else is on them; so that no blank line is left where it
 * is cut out. Otherwise the range with the blanks after it.
 */
function wholeLines(text: string, { offset, length }: TextRange): TextRange {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const after = /^[\t ]*(?:\r?\n|$)?/.exec(text.slice(offset + length))?.[0] ?? '';
  const end = offset + length + after.length;
  const endsLine = after.endsWith('\n') || end === text.length;
  if (!endsLine || text.slice(lineStart, offset).trim() !== '') {
    const blanks = /^[\t ]*/.exec(after)?.[0].length ?? 0;
    return { offset, length: endsLine ? length : length + blanks };
  }
  return { offset: lineStart, length: end - lineStart };
}

/** The edit that cuts a range out, by {@link wholeLines}. */
export function cutLines(text: string, range: TextRange): TextEdit {
  return { ...wholeLines(text, range), text: '' };
}

/** The one edit that makes a text of another: what both begin and end with stays, so that cursors and undo do. */
export function smallestEdit(before: string, after: string): TextEdit {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { offset: head, length: before.length - head - tail, text: after.slice(head, after.length - tail) };
}
