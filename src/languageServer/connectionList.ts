import type { ServerStatus } from '../mcpConfig/languageProtocol.ts';
import type { AnalyzedServer } from './analysis.ts';

/** How a server of a document stands to the connections. */
export type ServerRelation =
  /** The client uses the connection at the gateway. */
  | { readonly type: 'routed'; readonly connection: ServerStatus }
  /** There is a connection to that server, which the client does not use. */
  | { readonly type: 'known'; readonly connection: ServerStatus }
  /** There is none yet. */
  | { readonly type: 'unknown' }
  /** It has no URL, or not one that anybody but the client knows. */
  | { readonly type: 'local' };

/** The connections as the extension told them last. */
export class ConnectionList {
  #all: readonly ServerStatus[] = [];
  #byServer = new Map<string, ServerStatus>();
  #byGateway = new Map<string, ServerStatus>();

  get all(): readonly ServerStatus[] {
    return this.#all;
  }

  /** Gives whether other servers are known now, or by other URLs; not whether the state of one has changed. */
  replace(connections: readonly ServerStatus[]): boolean {
    const before = this.#all.map(identity).join('\n');
    this.#all = connections;
    // Of several connections to one server, the first one is meant.
    const backwards = connections.toReversed();
    this.#byServer = new Map(backwards.map((connection) => [connection.serverUrl, connection]));
    this.#byGateway = new Map(backwards.map((connection) => [connection.gatewayUrl, connection]));
    return before !== connections.map(identity).join('\n');
  }

  relationOf({ facts }: Pick<AnalyzedServer, 'facts'>): ServerRelation {
    const { canonicalUrl } = facts;
    if (canonicalUrl === undefined || !/^https?:/.test(canonicalUrl)) return { type: 'local' };
    const routed = this.#byGateway.get(canonicalUrl);
    if (routed !== undefined) return { type: 'routed', connection: routed };
    const known = this.#byServer.get(canonicalUrl);
    return known === undefined ? { type: 'unknown' } : { type: 'known', connection: known };
  }
}

function identity({ id, name, serverUrl, gatewayUrl }: ServerStatus): string {
  return JSON.stringify([id, name, serverUrl, gatewayUrl]);
}
