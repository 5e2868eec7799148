import { readFileSync } from 'node:fs';
import { number, object, string, type InferOutput } from 'valibot';
import { errorCode } from './atomicFile.ts';

/** A process, such that another one that later gets its number is not taken for it. */
export const processIdentitySchema = object({
  pid: number(),
  /** When it started, in the system's own unit; empty where it is not known. */
  started: string(),
});

export type ProcessIdentity = InferOutput<typeof processIdentitySchema>;

/** The process with this number. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: statOf(pid)?.started ?? '' };
}

/** Whether the process is still there. Where its start is not known, another one under its number counts too. */
export function isAlive({ pid, started }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process.
    if (errorCode(error) !== 'EPERM') return false;
  }
  const stat = statOf(pid);
  // A process that has ended stays in the list until its parent looks.
  return stat === undefined || (stat.started === started && stat.state !== 'Z');
}

/** Fields 3 and 22 of Linux' /proc/<pid>/stat; the second, the name, is in brackets and may have spaces. */
function statOf(pid: number): { readonly state: string; readonly started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
