import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exactOptional, boolean, object, parse, string } from 'valibot';
import { FolderSecretStore } from '../../headless/folderSecretStore.ts';
import { newUser } from './windows.ts';

const lineSchema = object({
  type: string(),
  isConnected: exactOptional(boolean()),
  windowName: exactOptional(string()),
  error: exactOptional(string()),
  state: exactOptional(string()),
});
type Line = ReturnType<typeof parseLine>;

function parseLine(text: string) {
  return { ...parse(lineSchema, JSON.parse(text)), at: performance.now() };
}

/** A window in a process of its own. */
class WindowProcess {
  readonly name: string;
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Line[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(folder: string, name: string) {
    this.name = name;
    const program = fileURLToPath(new URL('window.main.mjs', import.meta.url));
    this.child = spawn(process.execPath, [program, folder, name], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout }).on('line', (text) => {
      this.lines.push(parseLine(text));
      for (const look of this.#waiting) look();
    });
  }

  /** The first line after the `seen`th that fits. */
  async until(fits: (line: Line) => boolean, seen = 0): Promise<Line> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.lines.slice(seen).find(fits);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async settled(seen = 0): Promise<Line> {
    return this.until(({ type, isConnected }) => type === 'owner' || type === 'blocked' || isConnected === true, seen);
  }

  async refresh(id: string): Promise<Line> {
    const seen = this.lines.length;
    this.child.stdin.write(`${id}\n`);
    return this.until(({ type }) => type === 'refreshed' || type === 'failed', seen);
  }

  /** Gives when it was killed. */
  async kill(): Promise<number> {
    const at = performance.now();
    await this.dispose();
    return at;
  }

  async dispose(): Promise<void> {
    const isRunning = this.child.exitCode === null && this.child.signalCode === null;
    if (isRunning && this.child.kill('SIGKILL')) await once(this.child, 'exit');
  }
}

/** A user who has signed in, and has closed all windows. */
export async function signedIn(t: TestContext) {
  const user = await newUser(t);
  const keychain = new FolderSecretStore(path.join(user.folder, 'keychain'));
  const window = user.open('before', { keychain });
  const { id } = await window.connections.add(user.server.mcpUrl);
  await window.connections.authorize(id);
  await window.dispose();
  const signIns = (): number =>
    user.server.requestsTo('token').filter(({ form }) => form?.['grant_type'] === 'authorization_code').length;
  /** Opens a window in a process of its own. */
  const start = (name: string): WindowProcess => user.own(new WindowProcess(user.folder, name));
  return { ...user, keychain, id, signIns, start };
}
