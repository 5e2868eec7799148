import type { ConnectionId } from '../connections/connection.ts';
import type { Disposable, Log } from '../connections/ports.ts';
import type { EditorClient, GatewayService, NewToken, ToolSummary } from '../gateway/gatewayService.ts';
import type { AllowedTools, LocalAccess } from '../gateway/localAccess.ts';
import { FollowedService } from './followedService.ts';
import type { WindowRole } from './windowRole.ts';

export interface SharedGatewayParts {
  /** This window's own gateway; used while it is the owner. */
  readonly own: GatewayService;
  readonly role: WindowRole;
  readonly log: Log;
}

/**
 * The gateway as the user interface of any window sees it, whichever window runs it; as `SharedConnections` is for the
 * connections. When another window does from now on, the accesses are told anew.
 */
export class SharedGateway implements GatewayService, Disposable {
  readonly #followed: FollowedService<GatewayService, object>;

  constructor(parts: SharedGatewayParts) {
    this.#followed = new FollowedService<GatewayService, object>({
      ...parts,
      ofOwner: ({ gateway }) => gateway,
      listen: (gateway, tell) => gateway.onDidChangeAccesses(() => tell({})),
      differences: () => [{}],
    });
  }

  dispose(): void {
    this.#followed.dispose();
  }

  get accesses(): readonly LocalAccess[] {
    return this.#followed.current.accesses;
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#followed.onDidTell(listener);
  }

  async gatewayUrl(connection: ConnectionId): Promise<string> {
    return this.#followed.again(async (gateway) => gateway.gatewayUrl(connection));
  }

  async tools(connection: ConnectionId): Promise<readonly ToolSummary[]> {
    return this.#followed.again(async (gateway) => gateway.tools(connection));
  }

  async createToken(token: NewToken): Promise<string> {
    return this.#followed.once(async (gateway) => gateway.createToken(token));
  }

  async editorToken(connection: ConnectionId, client: EditorClient): Promise<string> {
    return this.#followed.again(async (gateway) => gateway.editorToken(connection, client));
  }

  async changeTools(accessId: string, allowedTools: AllowedTools): Promise<void> {
    return this.#followed.again(async (gateway) => gateway.changeTools(accessId, allowedTools));
  }

  async revoke(accessIds: readonly string[]): Promise<void> {
    return this.#followed.again(async (gateway) => gateway.revoke(accessIds));
  }
}
