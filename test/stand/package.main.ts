// npm run package [-- --update]: packs scopekeeper.vsix and compares what is in it with vsix-files.txt.
import { stat } from 'node:fs/promises';
import { acceptVsix, judgeVsix, packVsix } from './packVsix.ts';
import { VSIX_FILE } from './standPaths.ts';

await packVsix();
if (process.argv.includes('--update')) await acceptVsix();
const faults = await judgeVsix();
for (const fault of faults) console.error(fault);
if (faults.length > 0) {
  console.error('If that is meant: npm run package -- --update');
  process.exitCode = 1;
} else {
  console.log(`scopekeeper.vsix: ${((await stat(VSIX_FILE)).size / 1000).toFixed(0)} kB`);
}
