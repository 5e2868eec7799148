import { object, pipe, safeParse, string, trim, minLength, maxLength } from 'valibot';
import type { ScopeRules } from '../gateway/authorization/scopeRules.ts';
import { type AllowedTools, isToolAllowed } from '../gateway/localAccess.ts';

const NO_ARGUMENTS = { type: 'object' as const, properties: {}, additionalProperties: false };

/** The tools of the sample servers, as `tools/list` gives them. */
export const NOTE_TOOLS = [
  { name: 'list_notes', description: 'Lists all notes', inputSchema: NO_ARGUMENTS },
  {
    name: 'add_note',
    description: 'Adds a note',
    inputSchema: { type: 'object' as const, properties: { text: { type: 'string' } }, required: ['text'] },
  },
  { name: 'delete_all_notes', description: 'Deletes all notes', inputSchema: NO_ARGUMENTS },
];

/** Each scope stands for one tool: what is granted is the tools that may be called. */
const TOOL_OF_SCOPE: ReadonlyMap<string, string> = new Map([
  ['notes:read', 'list_notes'],
  ['notes:write', 'add_note'],
  ['notes:admin', 'delete_all_notes'],
]);

/** The last scope is asked for only when its tool is called, so that step-up can be seen (SEP-2350). */
export const NOTE_SCOPES: ScopeRules = {
  supported: [...TOOL_OF_SCOPE.keys()],
  initial: ['notes:read', 'notes:write'],
  granted: (allowed: AllowedTools) =>
    [...TOOL_OF_SCOPE].flatMap(([scope, tool]) => (isToolAllowed(allowed, tool) ? [scope] : [])),
};

/** The tools that scopes stand for; an unknown one stands for none. */
export function toolsOf(scopes: readonly string[]): readonly string[] {
  return [...TOOL_OF_SCOPE].flatMap(([scope, tool]) => (scopes.includes(scope) ? [tool] : []));
}

/** The scope that calling a tool needs; undefined for a tool that is not there. */
export function scopeOfTool(name: string): string | undefined {
  return [...TOOL_OF_SCOPE].find(([, tool]) => tool === name)?.[0];
}

const NOTES_AT_MOST = 100;
const LONGEST_NOTE = 1000;
const addNoteArguments = object({ text: pipe(string(), trim(), minLength(1), maxLength(LONGEST_NOTE)) });

/** Notes, which are gone when the server ends. */
export class Notes {
  #texts: readonly string[] = ['Welcome to the sample notes.'];

  /** What a tool says; undefined when there is no such tool, or its arguments are wrong. */
  call(name: string, input: unknown): string | undefined {
    if (name === 'list_notes') return this.#texts.length === 0 ? 'There are no notes.' : this.#texts.join('\n');
    if (name === 'delete_all_notes') {
      const { length } = this.#texts;
      this.#texts = [];
      return `Deleted ${length} notes.`;
    }
    const parsed = safeParse(addNoteArguments, input);
    if (name !== 'add_note' || !parsed.success) return undefined;
    const { text } = parsed.output;
    this.#texts = [...this.#texts, text].slice(-NOTES_AT_MOST);
    return `Added: ${text}`;
  }
}
