import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { cleanEnvironment } from '../../stand/processes.ts';
import { failurePlaces } from '../../stand/nodeTests.ts';

test('a report of node:test tells the file of each test that failed, and of nothing else', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-tap-'));
  t.after(async () => rm(folder, { recursive: true }));
  const write = async (name: string, body: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, `import { test } from 'node:test';\n${body}\n`);
    return file;
  };
  const files = await Promise.all([
    write('good.test.mjs', "test('good', () => undefined);"),
    write('bad.test.mjs', "test('bad', () => { throw new Error('no'); });\ntest('well', () => undefined);"),
    write('skipped.test.mjs', "test('skipped', { skip: true }, () => undefined);"),
    write('broken.test.mjs', 'throw new Error("no test at all");'),
  ]);
  const args = ['--test', '--test-reporter=tap', ...files];
  // Without what node:test says to the files that it runs, of which this is one.
  const { stdout } = spawnSync(process.execPath, args, { env: cleanEnvironment({}), encoding: 'utf8' });
  assert.deepEqual(failurePlaces(stdout).toSorted(), ['bad.test', 'broken.test']);
});
