import { type AccessEntry, isOver, type RegistryState } from './registryState.ts';

/** What becomes of a refresh token that was presented. */
export type RefreshJudgement =
  /** It is in force, and is renewed (P39). */
  | { readonly type: 'rotate'; readonly entry: AccessEntry }
  /** It was renewed a moment ago, and the answer may have been lost: its successor is given once more (P40). */
  | { readonly type: 'repeat'; readonly entry: AccessEntry; readonly successor: AccessEntry }
  /** It was used before, and not because an answer was lost: somebody has stolen it, and the family ends (P40). */
  | { readonly type: 'reuse'; readonly entry: AccessEntry }
  | { readonly type: 'expired' };

/**
 * Judges a refresh token by its own expiry, not by its access token's (P39).
 * @param entry that has it
 * @param isUsed whether a token of the entry was used
 */
export function judgeRefresh(
  entry: AccessEntry,
  { entries }: RegistryState,
  isUsed: (entry: AccessEntry) => boolean,
  now: number,
  graceMs: number,
): RefreshJudgement {
  const { family, generation, rotatedAt } = entry;
  if (rotatedAt === undefined) {
    return isOver(entry.refresh?.expiresAt, now) ? { type: 'expired' } : { type: 'rotate', entry };
  }
  const successor = [...entries.values()].find(
    (other) => other.family === family && other.generation === generation + 1 && other.rotatedAt === undefined,
  );
  // With a clock that was set back the grace lasts longer, and still not beyond the first use.
  const isWithinGrace = graceMs > 0 && now - rotatedAt < graceMs;
  if (successor === undefined || !isWithinGrace || isUsed(successor)) return { type: 'reuse', entry };
  return isOver(successor.refresh?.expiresAt, now) ? { type: 'expired' } : { type: 'repeat', entry, successor };
}
