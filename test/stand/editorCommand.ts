import { parseArgs } from 'node:util';

/** What is understood of the `code` command line; the rest of it steers the desktop editor only. */
export interface EditorCommand {
  readonly folder: string | undefined;
  readonly extensionDevelopmentPaths: readonly string[];
  readonly extensionTestsPath: string;
}

/** Reads the arguments that @vscode/test-electron gives to the editor. Throws when there is no tests path. */
export function parseEditorCommand(args: readonly string[]): EditorCommand {
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      extensionDevelopmentPath: { type: 'string', multiple: true },
      extensionTestsPath: { type: 'string' },
    },
  });
  const { extensionDevelopmentPath = [], extensionTestsPath } = values;
  if (typeof extensionTestsPath !== 'string') throw new Error('--extensionTestsPath is missing.');
  return {
    folder: positionals[0],
    extensionDevelopmentPaths: [extensionDevelopmentPath].flat().filter((each) => typeof each === 'string'),
    extensionTestsPath,
  };
}
