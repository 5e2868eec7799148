import type { Connection } from '../../connections/connection.ts';
import { leavesWhenRouted } from '../../mcpConfig/routedEntry.ts';
import type { ConfigActionParts } from '../configActions/configEntry.ts';
import { connectionTo, keepToken } from '../configActions/entryConnection.ts';
import { shownName } from '../configActions/shownName.ts';
import { type CandidatePlace, movableToken } from './importCandidates.ts';
import { type ImportPlan, movesToken, placesToRoute } from './importPlan.ts';
import { routePlace } from './routePlace.ts';

/** What became of it. */
export interface Imported {
  readonly added: readonly Connection[];
  /** How many of them have a token from a file. */
  readonly movedTokens: number;
  /** The files in which a client was led through the gateway. */
  readonly routedFiles: readonly string[];
  readonly backups: readonly string[];
  /** The files that a token went out of, and whose history may have it. */
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
  const backups = new Set<string>();
  const versioned = new Set<string>();
  const failures: { place: CandidatePlace; problem: string }[] = [];
  let movedTokens = 0;
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
    if (token !== undefined) movedTokens += 1;
    const url = await gateway.gatewayUrl(connection.id);
    for (const place of placesToRoute(plan, candidate, token)) {
      const done = await routePlace(configFiles, place, url);
      const { path } = place.file.file;
      if (done.type === 'failed') {
        failures.push({ place, problem: done.problem });
        continue;
      }
      routed.add(path);
      if (done.backup !== undefined) backups.add(done.backup);
      if (place.tokens.some(leavesWhenRouted) && (await configFiles.isVersioned(path))) versioned.add(path);
    }
  }
  return {
    added,
    movedTokens,
    routedFiles: [...routed],
    backups: [...backups],
    versionedFiles: [...versioned],
    failures,
  };
}
