import { readdir, readFile, readlink } from 'node:fs/promises';

/** In /proc/net/tcp: a socket that listens. */
const LISTENING = '0A';

/** The id of the process that listens on this port of 127.0.0.1; undefined when none does. Linux only: reads /proc. */
export async function listeningProcess(port: number): Promise<number | undefined> {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  const inode = lines.find(([, local, , state]) => local === address && state === LISTENING)?.[9];
  if (inode === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(pids.map(async (pid) => ((await hasSocket(pid, inode)) ? Number(pid) : undefined)));
  return holders.find((pid) => pid !== undefined);
}

async function hasSocket(pid: string, inode: string): Promise<boolean> {
  // A process that ends while we look holds nothing.
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(files.map(async (file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return links.includes(`socket:[${inode}]`);
}
