import type { ConnectionId } from '../connections/connection.ts';

/** The tools of a connection that a local client may use: all of them, also those to come, or these (P43). */
export type AllowedTools = '*' | readonly string[];

/**
 * How a local client came to its access.
 * - `oauth`: it asked for it, and the person said yes (P44).
 * - `token`: the person made a token and gave it to the client.
 * - `editor`: the agent mode of this editor.
 * - `extension`: another extension of this editor, which the person let in.
 */
export const ACCESS_KINDS = ['oauth', 'token', 'editor', 'extension'] as const;
export type AccessKind = (typeof ACCESS_KINDS)[number];

/** What one local client may do, as the person sees it. Holds no secret. Instants are ms since the epoch. */
export interface LocalAccess {
  readonly id: string;
  readonly kind: AccessKind;
  /** What the person, or else the client itself, calls it. Of a client it is only its own claim (P44). */
  readonly label: string;
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
