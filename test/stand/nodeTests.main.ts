// npm run test:unit, npm run test:e2e [-- part of a file name ...]: runs tests inside a throw-away keyring.
import { installPackedExtension } from './installedExtension.ts';
import { withKeyring } from './keyring.ts';
import { runNodeTests } from './nodeTests.ts';
import { packVsix } from './packVsix.ts';
import { provision } from './provision.ts';

const FOLDERS = new Set(['unit', 'integration', 'e2e']);

const args = process.argv.slice(2);
const folders = args.filter((arg) => FOLDERS.has(arg));
const filters = args.filter((arg) => !FOLDERS.has(arg) && !arg.startsWith('--'));

async function runAll(): Promise<void> {
  for (const folder of folders) {
    const { failed } = await runNodeTests(folder, filters);
    if (failed > 0) process.exitCode = 1;
  }
}

if (process.platform === 'linux') {
  await provision();
  if (folders.includes('e2e')) {
    if (!args.includes('--packed')) await packVsix();
    await installPackedExtension();
  }
  await withKeyring(runAll);
} else {
  if (folders.includes('e2e')) throw new Error('The e2e tests drive code-server, which runs on Linux only.');
  await runAll();
}
