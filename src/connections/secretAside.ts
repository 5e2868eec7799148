import type { Log, SecretStore } from './ports.ts';

/** So many different unreadable texts of one entry are kept for a repair: the first and the last. */
const ASIDE_SLOTS = [1, 2] as const;

/** The keys under which what was unreadable under `key` is kept. */
export function asideKeys(key: string): readonly string[] {
  return ASIDE_SLOTS.map((slot) => `${key}:unreadable-${slot}`);
}

/** Copies what is no document of ours to an entry of its own, before it is written over. Throws what the store throws. */
export async function keepAside(store: SecretStore, key: string, text: string, log: Log): Promise<void> {
  let slot = key;
  for (const candidate of asideKeys(key)) {
    slot = candidate;
    const kept = await store.get(slot);
    if (kept === text) return;
    if (kept === undefined) break;
  }
  await store.set(slot, text);
  log.warn(`What was under ${key} in the ${store.name} is nothing of ours; it is kept under ${slot}.`);
}
