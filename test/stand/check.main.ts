// npm run check: types, lint, format and unused code, all at once.
import path from 'node:path';
import { writeCounts } from './counts.ts';
import { runQuietly } from './processes.ts';
import { REPOSITORY } from './standPaths.ts';

const TOOLS = [
  { tool: 'tsc', args: ['-p', '.'] },
  { tool: 'tsc', args: ['-p', 'src/vscode/details/webview'] },
  { tool: 'oxlint', args: [] },
  { tool: 'oxfmt', args: ['--check'] },
  { tool: 'knip', args: [] },
];

const results = await Promise.all(
  TOOLS.map(async ({ tool, args }) => {
    const startedAt = Date.now();
    const finished = await runQuietly(path.join(REPOSITORY, 'node_modules', '.bin', tool), args, { cwd: REPOSITORY });
    return { tool, args, finished, seconds: (Date.now() - startedAt) / 1000 };
  }),
);
for (const { tool, args, finished, seconds } of results) {
  console.log(`${finished.code === 0 ? 'ok' : 'FAILED'} ${[tool, ...args].join(' ')} (${seconds.toFixed(1)} s)`);
  if (finished.code !== 0) console.log(`${finished.stdout}${finished.stderr}`.trimEnd());
}
const failed = results.filter(({ finished }) => finished.code !== 0).length;
await writeCounts('check', { passed: results.length - failed, failed });
process.exitCode = failed === 0 ? 0 : 1;
