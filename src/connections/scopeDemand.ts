import { plainText } from '../oauth/errors.ts';
import { sameScopes, type ScopeSet } from '../oauth/scopeSet.ts';
import { type Connection, currentGrant } from './connection.ts';
import { missingScopes } from './grant.ts';

/**
 * How a local client came to its access at the gateway.
 * - `oauth`: it asked for it, and the person said yes (P44).
 * - `token`: the person made a token and gave it to the client.
 * - `editor`: the agent mode of this editor.
 * - `extension`: another extension of this editor, which the person let in.
 */
export const LOCAL_CLIENT_KINDS = ['oauth', 'token', 'editor', 'extension'] as const;

/** A local client, as the person knows it. */
export interface LocalClient {
  readonly kind: (typeof LOCAL_CLIENT_KINDS)[number];
  /** What the person, or else the client itself, calls it. Of a client it is only its own claim (P44). */
  readonly label: string;
}

/** Why scopes are asked for: what was refused for want of them. Texts of clients and servers, cut and plain. */
export interface ScopeDemand {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly scopes: ScopeSet;
  /** What the client was at, e.g. `tools/call add_note`. */
  readonly operation?: string;
  /** Who was at it; undefined for Scopekeeper itself. */
  readonly client?: LocalClient;
}

/** How many are kept of each connection; what was demanded long ago matters less than that it is. */
const DEMANDS_AT_MOST = 10;
/** A server that demands more is told of by its first ones. */
const SCOPES_AT_MOST = 100;
/** In characters; a longer one would push the rest of a message out of sight. */
const LONGEST_OPERATION = 80;
const LONGEST_LABEL = 60;

/** What a request was for and whose it was, as the person may be told of it. */
export function plainCause(cause: {
  readonly operation?: string | undefined;
  readonly client?: LocalClient | undefined;
}): Pick<ScopeDemand, 'operation' | 'client'> {
  const operation = plainText(cause.operation, LONGEST_OPERATION);
  const label = plainText(cause.client?.label, LONGEST_LABEL);
  return {
    ...(operation !== undefined && { operation }),
    ...(cause.client !== undefined && label !== undefined && { client: { kind: cause.client.kind, label } }),
  };
}

/** Gives `demands` with `demand` as the newest; the same one of earlier goes, and the oldest of too many. */
export function addDemand(demands: readonly ScopeDemand[] = [], demand: ScopeDemand): readonly ScopeDemand[] {
  const cut = { ...demand, scopes: demand.scopes.slice(0, SCOPES_AT_MOST) };
  return [...demands.filter((other) => !isSame(other, cut)).slice(1 - DEMANDS_AT_MOST), cut];
}

function isSame(one: ScopeDemand, other: ScopeDemand): boolean {
  const isOfSame = one.operation === other.operation && one.client?.label === other.client?.label;
  return isOfSame && sameScopes(one.scopes, other.scopes);
}

/** The demands that are not met by what is granted, the newest last, each with what is missing of it. */
export function openDemands(
  connection: Connection,
  granted: ScopeSet = currentGrant(connection)?.granted ?? [],
): readonly ScopeDemand[] {
  return (connection.demands ?? []).flatMap((demand) => {
    const scopes = missingScopes(demand.scopes, granted);
    return scopes.length === 0 ? [] : [{ ...demand, scopes }];
  });
}
