import { createHash } from 'node:crypto';
import { currentGrant, type Connection, type ConnectionId } from '../connections/connection.ts';
import type { LocalAccess } from '../gateway/localAccess.ts';

/** A connected server as the agent mode of the editor is told of it. */
export interface AgentServer {
  readonly connection: ConnectionId;
  readonly label: string;
  /** Another one whenever a server that runs has to be started again to see what changed. */
  readonly version: string;
}

/**
 * The servers to give to agent mode: those that somebody is signed in to, in their order.
 * @param revocations how often the editor's own token for a connection was revoked
 */
export function agentServers(
  connections: readonly Connection[],
  accesses: readonly LocalAccess[],
  revocations: (id: ConnectionId) => number,
): readonly AgentServer[] {
  return connections.flatMap((connection) => {
    const grant = currentGrant(connection);
    if (grant === undefined) return [];
    const { id, name: label } = connection;
    const own = accesses.find((access) => access.kind === 'editor' && access.connection === id);
    // Neither the generation nor the access itself: a renewal is unseen, and the first start makes the access.
    const judged = [grant.granted.toSorted(), own?.allowedTools ?? '*', revocations(id)];
    const version = createHash('sha256').update(JSON.stringify(judged)).digest('hex').slice(0, 12);
    return [{ connection: id, label, version }];
  });
}
