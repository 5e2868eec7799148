import { fork } from 'node:child_process';
import { boolean, nullable, object, optional, safeParse, string, union } from 'valibot';
import type { Keytar } from './keytarAddon.ts';

/** So long a call may wait for a person at a prompt; then its process is ended, and a later call can be made. */
const LONGEST_CALL_MS = 120_000;

const replySchema = object({ value: optional(union([nullable(string()), boolean()])), problem: optional(string()) });

/**
 * keytar, each call in a fresh process.
 *
 * libsecret keeps the secret service's address for as long as the process lives: after gnome-keyring (or its bus) was
 * started anew, every call fails for ever, because what would notice it is GLib's main loop, which Node has not. A
 * new process asks for the address anew.
 * @param processFile the bundle of `keytarProcess.ts`
 */
export function keytarElsewhere(processFile: string, prebuildsFolder: string): Keytar {
  const call = async (method: keyof Keytar, ...args: readonly string[]): Promise<string | boolean | null> =>
    callElsewhere(processFile, { prebuildsFolder, method, args });
  return {
    async getPassword(...args) {
      const value = await call('getPassword', ...args);
      return typeof value === 'string' ? value : null;
    },
    async setPassword(...args) {
      await call('setPassword', ...args);
    },
    async deletePassword(...args) {
      return (await call('deletePassword', ...args)) === true;
    },
  };
}

/** Makes one call. The secret goes over the channel between the processes, never through arguments or environment. */
async function callElsewhere(processFile: string, message: object): Promise<string | boolean | null> {
  return new Promise((resolve, reject) => {
    const child = fork(processFile, [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_CALL_MS);
    timer.unref();
    child.once('message', (reply) => {
      const { success, output } = safeParse(replySchema, reply);
      if (!success) reject(new Error('no answer of keytar'));
      else if (output.problem !== undefined) reject(new Error(output.problem));
      else resolve(output.value ?? null);
    });
    child.once('error', reject);
    child.once('exit', () => {
      clearTimeout(timer);
      // After an answer this changes nothing.
      reject(new Error('keytar ended without an answer'));
    });
    child.send(message, (error) => {
      if (error !== null) reject(error);
    });
  });
}

/** What libsecret says when the service that it talked to, or the bus, has ended: it never finds the new one. */
const LINK_LOST =
  /The name :[\d.]+ was not provided|The connection is closed|Object does not exist at path|session wrapping the secret/;

/** keytar in this process, until it has lost its link to the secret service; from then on elsewhere. */
export function outlivingService(near: Keytar, elsewhere: Keytar): Keytar {
  let isLost = false;
  const call = async <T>(run: (keytar: Keytar) => Promise<T>): Promise<T> => {
    try {
      if (!isLost) return await run(near);
    } catch (error) {
      if (!(error instanceof Error) || !LINK_LOST.test(error.message)) throw error;
      isLost = true;
    }
    return run(elsewhere);
  };
  return {
    getPassword: async (...args) => call(async (keytar) => keytar.getPassword(...args)),
    setPassword: async (...args) => call(async (keytar) => keytar.setPassword(...args)),
    deletePassword: async (...args) => call(async (keytar) => keytar.deletePassword(...args)),
  };
}
