import { provision } from './provision.ts';
import { CODE_SERVER_FOLDER, hostNodeIn } from './standPaths.ts';

/** A Node of version 22 or later: this process's own, or else the stand's, on which extension hosts run. */
export async function recentNode(): Promise<string> {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  await provision();
  return hostNodeIn(CODE_SERVER_FOLDER);
}
