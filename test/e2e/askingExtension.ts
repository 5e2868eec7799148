import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { outputOf } from '../stand/processes.ts';
import { REPOSITORY } from '../stand/standPaths.ts';

/** Where it writes the session that it got, below its home folder. */
export const ASKED_FILE = 'asked.json';

const MANIFEST = {
  name: 'asking',
  displayName: 'Asking',
  version: '0.0.1',
  publisher: 'tester',
  main: './index.js',
  engines: { vscode: '^1.105.0' },
  contributes: { commands: [{ command: 'asking.ask', title: 'Ask', category: 'Asking' }] },
};

const CODE = `
const { writeFileSync } = require('node:fs');
const { homedir } = require('node:os');
const path = require('node:path');
const vscode = require('vscode');
exports.activate = (context) => {
  context.subscriptions.push(vscode.commands.registerCommand('asking.ask', async () => {
    const scope = await vscode.env.clipboard.readText();
    const session = await vscode.authentication.getSession('scopekeeper', [scope], { createIfNone: true });
    writeFileSync(path.join(homedir(), '${ASKED_FILE}'), JSON.stringify(session));
  }));
};
`;

/**
 * Packs another extension, whose command *Asking: Ask* asks Scopekeeper for a session. The scope is what the clipboard
 * holds. Gives the VSIX file.
 */
export async function packAskingExtension(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(MANIFEST));
  await writeFile(path.join(folder, 'index.js'), CODE);
  await writeFile(path.join(folder, 'README.md'), 'For a test.');
  const vsix = path.join(folder, 'asking.vsix');
  const vsce = path.join(REPOSITORY, 'node_modules', '@vscode', 'vsce', 'vsce');
  const lenient = ['--no-dependencies', '--allow-missing-repository', '--skip-license', '--allow-star-activation'];
  await outputOf(process.execPath, [vsce, 'package', ...lenient, '--out', vsix], { cwd: folder });
  return vsix;
}
