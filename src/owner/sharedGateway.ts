import type { ConnectionId } from '../connections/connection.ts';
import { Emitter } from '../connections/emitter.ts';
import type { Disposable, Log } from '../connections/ports.ts';
import type { EditorClient, GatewayService, NewToken, ToolSummary } from '../gateway/gatewayService.ts';
import type { AllowedTools, LocalAccess } from '../gateway/localAccess.ts';
import { askAgain } from './askAgain.ts';
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
  readonly #parts: SharedGatewayParts;
  readonly #changes: Emitter<object>;
  readonly #roleChanges: Disposable;
  #current: GatewayService;
  #subscription: Disposable;

  constructor(parts: SharedGatewayParts) {
    this.#parts = parts;
    this.#changes = new Emitter((error) => parts.log.error(`A listener failed: ${String(error)}`));
    this.#current = parts.own;
    this.#subscription = this.#follow();
    this.#roleChanges = parts.role.onDidChange(() => this.#followRole());
  }

  dispose(): void {
    this.#roleChanges.dispose();
    this.#subscription.dispose();
  }

  get accesses(): readonly LocalAccess[] {
    return this.#current.accesses;
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#changes.listen(listener);
  }

  async gatewayUrl(connection: ConnectionId): Promise<string> {
    return this.#again(async (gateway) => gateway.gatewayUrl(connection));
  }

  async tools(connection: ConnectionId): Promise<readonly ToolSummary[]> {
    return this.#again(async (gateway) => gateway.tools(connection));
  }

  async createToken(token: NewToken): Promise<string> {
    return this.#once(async (gateway) => gateway.createToken(token));
  }

  async editorToken(connection: ConnectionId, client: EditorClient): Promise<string> {
    return this.#again(async (gateway) => gateway.editorToken(connection, client));
  }

  async changeTools(accessId: string, allowedTools: AllowedTools): Promise<void> {
    return this.#again(async (gateway) => gateway.changeTools(accessId, allowedTools));
  }

  async revoke(accessIds: readonly string[]): Promise<void> {
    return this.#again(async (gateway) => gateway.revoke(accessIds));
  }

  async #once<T>(call: (gateway: GatewayService) => Promise<T>): Promise<T> {
    await this.#parts.role.ensureReady();
    return call(this.#current);
  }

  async #again<T>(call: (gateway: GatewayService) => Promise<T>): Promise<T> {
    return askAgain(async () => this.#once(call));
  }

  #follow(): Disposable {
    return this.#current.onDidChangeAccesses(() => this.#changes.fire({}));
  }

  #followRole(): void {
    const { own, role } = this.#parts;
    const next = role.link?.gateway ?? own;
    if (next === this.#current) return;
    this.#subscription.dispose();
    this.#current = next;
    this.#subscription = this.#follow();
    this.#changes.fire({});
  }
}
