import { Editor } from '../integration/languageServer/editor.ts';

/** A document in which somebody types. */
export interface TypedText {
  readonly title: string;
  readonly uri: string;
  readonly text: string;
  /** What is typed, one character after the other, in the middle, and then taken out again, and so on. */
  readonly typed: string;
}

export interface Keystrokes {
  readonly openMs: number;
  /** Of each keystroke, until all that is found has come back. */
  readonly times: readonly number[];
  /** Of a processor, of each keystroke: what is left of them on a machine that does nothing else. None but on Linux. */
  readonly cpuTimes: readonly number[];
}

/**
 * How long each keystroke takes from when the editor sends it to when it has all that the server finds in the text then;
 * one after the other. Over a process and LSP, as in an editor.
 */
export async function keystrokeMs({ uri, text, typed }: TypedText, keystrokes: number): Promise<Keystrokes> {
  const editor = await Editor.start();
  const opened = performance.now();
  await editor.open(uri, text, uri.endsWith('.toml') ? 'toml' : 'json');
  await editor.diagnostics(uri);
  const openMs = performance.now() - opened;
  const head = text.slice(0, text.indexOf('team-', text.length / 2));
  const line = head.split('\n').length - 1;
  const start = head.length - (head.lastIndexOf('\n') + 1);
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let stroke = 0; stroke < keystrokes; stroke += 1) {
    const at = stroke % (2 * typed.length);
    const isDeleting = at >= typed.length;
    const character = start + (isDeleting ? 2 * typed.length - at - 1 : at);
    const range = { start: { line, character }, end: { line, character: character + (isDeleting ? 1 : 0) } };
    const before = editor.cpuNs();
    const sent = performance.now();
    await editor.change(uri, { range, text: isDeleting ? '' : (typed[at] ?? '') });
    await editor.diagnostics(uri);
    times.push(performance.now() - sent);
    const after = editor.cpuNs();
    if (before !== undefined && after !== undefined) cpuTimes.push((after - before) / 1e6);
  }
  await editor.stop();
  return { openMs, times, cpuTimes };
}

/** The one in the middle. */
export function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}
