import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { createHeadlessManager } from '../../headless/headlessManager.ts';
import { MemoryFile, MemorySecretStore } from '../../headless/memoryPorts.ts';

// A window that begins to refresh a connection, for a test to kill. What it stores goes with it.
const order = v.object({
  id: v.string(),
  entries: v.array(v.tuple([v.string(), v.string()])),
  fileText: v.string(),
  journalFolder: v.string(),
  isOutliving: v.boolean(),
});

const given = v.parse(v.pipe(v.string(), v.parseJson(), order), await text(process.stdin));
const keychain = new MemorySecretStore();
for (const [key, value] of given.entries) keychain.entries.set(key, value);
const file = new MemoryFile();
file.text = given.fileText;
const { journalFolder, isOutliving } = given;
const { manager } = createHeadlessManager({
  browser: async () => undefined,
  keychain,
  file,
  journalFolder,
  isOutliving,
});
await manager.start();
await manager.refresh(given.id);
