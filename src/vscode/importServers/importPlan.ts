import { readServers } from '../../mcpConfig/configServers.ts';
import { entryTokens, textWithout } from '../../mcpConfig/entryTokens.ts';
import { leavesWhenRouted, lostByRouting } from '../../mcpConfig/routedEntry.ts';
import { type CandidatePlace, type ImportCandidate, movableToken } from './importCandidates.ts';

/** What the person wants to become of what they ticked. */
export interface ImportPlan {
  readonly candidates: readonly ImportCandidate[];
  /** Whether tokens that are written in files go to the keychain, and out of the files. */
  readonly movesTokens: boolean;
  /** Whose clients are led through the gateway: nobody's, the person's own files, or those of the workspace too. */
  readonly routes: 'none' | 'own' | 'all';
}

/** Whether a token of this server goes to the keychain: not where a connection is there already, whose own it would be. */
export function movesToken({ movesTokens }: Pick<ImportPlan, 'movesTokens'>, candidate: ImportCandidate): boolean {
  return movesTokens && candidate.state === 'new' && movableToken(candidate) !== undefined;
}

/**
 * Where a server's clients are led through the gateway: wherever the token was that is in the keychain now, since they
 * have none any more; and as the person wishes elsewhere, but never where that would lose a token.
 */
export function placesToRoute(
  { routes }: Pick<ImportPlan, 'routes'>,
  { places }: ImportCandidate,
  moved: string | undefined,
): CandidatePlace[] {
  return places.filter(({ file, tokens }) => {
    if (lostByRouting(tokens, moved).length > 0) return false;
    if (tokens.some(leavesWhenRouted)) return true;
    return routes === 'all' || (routes === 'own' && file.file.scope === 'user');
  });
}

/**
 * The text of a file as it is now, without any token that the plan takes out of it: a backup that is made for one entry
 * is not to hold the token of the next.
 * @param path of the file
 */
export function withoutMovedTokens(plan: ImportPlan, path: string, text: string): string {
  const tokens = plan.candidates.flatMap((candidate) => {
    const moved = movesToken(plan, candidate) ? movableToken(candidate)?.token : undefined;
    if (moved === undefined) return [];
    const places = placesToRoute(plan, candidate, moved).filter(({ file }) => file.file.path === path);
    // Earlier edits may have moved what is written there.
    return places.flatMap(({ section, server }) => {
      const now = readServers(text, section.format).servers.find(({ name }) => name === server.name);
      const found = now === undefined ? [] : entryTokens(now);
      return found.filter((one) => one.token === moved && leavesWhenRouted(one));
    });
  });
  return textWithout(text, tokens);
}
