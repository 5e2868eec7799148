import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const STORED = 0;
const DEFLATED = 8;

export interface ZipEntry {
  /** With `/` between its parts. */
  readonly name: string;
  /** Unpacked, in bytes. */
  readonly size: number;
  read(): Buffer;
}

/** Reads a ZIP file's directory (APPNOTE 4.3). For files that our own packer has written: no ZIP64, no encryption. */
export async function readZip(file: string): Promise<ZipEntry[]> {
  const bytes = await readFile(file);
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new Error(`${path.basename(file)} is not a ZIP file.`);
  const entries: ZipEntry[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const [method, packedSize] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const header = bytes.readUInt32LE(at + 42);
    const read = (): Buffer => unpack(bytes, header, method, packedSize);
    if (!name.endsWith('/')) entries.push({ name, size: bytes.readUInt32LE(at + 24), read });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

/** Writes the entries below `prefix` into `folder`, without that prefix. */
export async function extractZip(file: string, prefix: string, folder: string): Promise<void> {
  for (const entry of await readZip(file)) {
    if (!entry.name.startsWith(prefix)) continue;
    const target = path.join(folder, entry.name.slice(prefix.length));
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, entry.read());
  }
}

function unpack(bytes: Buffer, header: number, method: number, packedSize: number): Buffer {
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
  const packed = bytes.subarray(start, start + packedSize);
  if (method === STORED) return packed;
  if (method === DEFLATED) return inflateRawSync(packed);
  throw new Error(`ZIP method ${method} is not known.`);
}
