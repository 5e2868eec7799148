/** What clients put values in place of: `${VAR}`, `${env:VAR}`, `${input:id}`, and Gemini CLI's `$VAR` and `%VAR%`. */
const REFERENCE = /\$\{[^}]*\}/;
const BARE_REFERENCE = /^(?:\$[A-Za-z_]\w*|%[A-Za-z_]\w*%)$/;

/** Whether a text in a client's file names a variable or an input, so that what it says is not in the file. */
export function hasReference(text: string): boolean {
  return REFERENCE.test(text) || BARE_REFERENCE.test(text.trim());
}

/** The names in a text's `${NAME}` and `${env:NAME}`. */
export function referencedNames(text: string): string[] {
  return [...text.matchAll(/\$\{(?:env:)?([A-Za-z_]\w*)\}/g)].map(([, name = '']) => name);
}
