// Runs in a process of its own: makes one call of keytar, answers it, and ends. See `keytarElsewhere`.
import { array, object, picklist, safeParse, string } from 'valibot';
import { loadKeytar, type Keytar } from './keytarAddon.ts';

const callSchema = object({
  prebuildsFolder: string(),
  method: picklist(['getPassword', 'setPassword', 'deletePassword']),
  args: array(string()),
});

/** The one call, as it comes over the channel from the process that started this one. */
async function answer(message: unknown): Promise<unknown> {
  const call = safeParse(callSchema, message);
  if (!call.success) return { problem: 'not a call' };
  const { args, method, prebuildsFolder } = call.output;
  try {
    return { value: await perform(await loadKeytar(prebuildsFolder), method, args) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'unknown' };
  }
}

async function perform(keytar: Keytar, method: keyof Keytar, [service = '', key = '', value = '']: readonly string[]) {
  switch (method) {
    case 'getPassword':
      return keytar.getPassword(service, key);
    case 'setPassword':
      await keytar.setPassword(service, key, value);
      return true;
    case 'deletePassword':
      return keytar.deletePassword(service, key);
  }
}

process.once('message', (message) => {
  // `answer` never rejects. The channel closes with the answer, and the process ends with the channel.
  void answer(message).then((reply) => process.send?.(reply, () => process.disconnect()));
});
process.once('disconnect', () => process.exit());
