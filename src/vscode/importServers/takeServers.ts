import type { Connection } from '../../connections/connection.ts';
import { leavesWhenRouted } from '../../mcpConfig/routedEntry.ts';
import type { ConfigActionParts } from '../configActions/configEntry.ts';
import { connectionTo, keepToken } from '../configActions/entryConnection.ts';
import { shownName } from '../configActions/shownName.ts';
import { type CandidatePlace, movableToken } from './importCandidates.ts';
import { type ImportPlan, movesToken, placesToRoute, withoutMovedTokens } from './importPlan.ts';
import { routePlace } from './routePlace.ts';

/** What became of it. */
export interface Imported {
  readonly added: readonly Connection[];
  /** Those of them that have a token from a file. */
  readonly moved: readonly Connection[];
  /** The files in which a client was led through the gateway, in words. */
  readonly routedFiles: readonly string[];
  readonly hasBackups: boolean;
  /** The files, in words, that a token went out of, and whose history may have it. */
  readonly versionedFiles: readonly string[];
  readonly failures: readonly { readonly place: CandidatePlace; readonly problem: string }[];
}

/**
 * Adds the servers, keeps their tokens and edits their files, one after the other: a token is stored before it goes out
 * of a file. Signs in nowhere. Throws what the keychain says and `owner_gone`; what was done until then holds.
 */
export async function takeServers(parts: ConfigActionParts, plan: ImportPlan): Promise<Imported> {
  const { configFiles, gateway, service } = parts;
  const added: Connection[] = [];
  const routed = new Set<string>();
  const versioned = new Set<string>();
  const failures: { place: CandidatePlace; problem: string }[] = [];
  const moved: Connection[] = [];
  let hasBackups = false;
  for (const candidate of plan.candidates) {
    const { serverUrl } = candidate;
    const name = shownName(candidate.name);
    const token = movesToken(plan, candidate) ? movableToken(candidate)?.token : undefined;
    const known = connectionTo(service, serverUrl);
    const isAdded = known === undefined || token !== undefined;
    const connection =
      token === undefined
        ? (known ?? (await service.add(serverUrl, name)))
        : await keepToken(service, { serverUrl, name }, token);
    if (isAdded) added.push(connection);
    if (token !== undefined) moved.push(connection);
    const url = await gateway.gatewayUrl(connection.id);
    for (const place of placesToRoute(plan, candidate, token)) {
      const done = await routePlace(configFiles, place, url, (path, text) => withoutMovedTokens(plan, path, text));
      const { file, shown } = place.file;
      if (done.type === 'failed') {
        failures.push({ place, problem: done.problem });
        continue;
      }
      routed.add(shown);
      hasBackups ||= done.backup !== undefined;
      if (place.tokens.some(leavesWhenRouted) && (await configFiles.isVersioned(file.path))) versioned.add(shown);
    }
  }
  return {
    added,
    moved,
    routedFiles: [...routed],
    hasBackups,
    versionedFiles: [...versioned],
    failures,
  };
}
