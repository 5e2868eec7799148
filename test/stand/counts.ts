import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { RESULTS_FOLDER } from './standPaths.ts';

const Counts = v.object({ passed: v.number(), failed: v.number() });
export type Counts = v.InferOutput<typeof Counts>;

/** Leaves what came of a part of the tests where the whole run looks for it. */
export async function writeCounts(part: string, counts: Counts): Promise<void> {
  await mkdir(RESULTS_FOLDER, { recursive: true });
  await writeFile(countsFile(part), JSON.stringify(counts));
  console.log(`${part}: ${counts.passed} passed, ${counts.failed} failed`);
}

/** What a part has left; undefined when it did not get so far. */
export async function readCounts(part: string): Promise<Counts | undefined> {
  try {
    return v.parse(Counts, JSON.parse(await readFile(countsFile(part), 'utf8')));
  } catch {
    return undefined;
  }
}

function countsFile(part: string): string {
  return path.join(RESULTS_FOLDER, `${part}.counts.json`);
}
