import type { ConnectionId } from '../connections/connection.ts';
import { LOCAL_CLIENT_KINDS, type LocalClient } from '../connections/scopeDemand.ts';

/** The tools of a connection that a local client may use: all of them, also those to come, or these (P43). */
export type AllowedTools = '*' | readonly string[];

export const ACCESS_KINDS = LOCAL_CLIENT_KINDS;
export type AccessKind = LocalClient['kind'];

/** What one local client may do, as the person sees it. Holds no secret. Instants are ms since the epoch. */
export interface LocalAccess extends LocalClient {
  readonly id: string;
  /** Undefined for tokens of version 1 of the registry, which are good for each connection (P42). */
  readonly connection?: ConnectionId;
  readonly allowedTools: AllowedTools;
  readonly createdAt: number;
  /** When it ends unless the client renews it; undefined for never. */
  readonly expiresAt?: number;
  readonly lastUsedAt?: number;
}

/** Whether `tool` is among those that are allowed. */
export function isToolAllowed(allowed: AllowedTools, tool: string): boolean {
  return allowed === '*' || allowed.includes(tool);
}
