import type { ConnectionId } from '../connections/connection.ts';
import { Emitter } from '../connections/emitter.ts';
import type { Disposable, Log } from '../connections/ports.ts';
import type { EditorClient, GatewayService, NewToken, ToolSummary } from '../gateway/gatewayService.ts';
import type { AllowedTools, LocalAccess } from '../gateway/localAccess.ts';
import { accessesNotification, gatewayRequests } from './gatewayProtocol.ts';
import type { OwnerChannel } from './ownerChannel.ts';

/**
 * The owner's gateway, as a guest sees it: the accesses in a mirror, which the owner keeps current, the rest there and
 * back. Every method throws `owner_gone` when the owner ends meanwhile.
 */
export class RemoteGateway implements GatewayService {
  readonly #owner: OwnerChannel;
  readonly #changes: Emitter<object>;
  #accesses: readonly LocalAccess[] = [];

  /** To be made before the channel listens, so that nothing is missed. */
  constructor(owner: OwnerChannel, log: Log) {
    this.#owner = owner;
    this.#changes = new Emitter((error) => log.error(`A listener failed: ${String(error)}`));
    owner.hear(accessesNotification, ({ accesses }) => {
      this.#accesses = accesses;
      this.#changes.fire({});
    });
  }

  get accesses(): readonly LocalAccess[] {
    return this.#accesses;
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#changes.listen(listener);
  }

  async gatewayUrl(connection: ConnectionId): Promise<string> {
    return (await this.#owner.ask(gatewayRequests.gatewayUrl, { connection })).url;
  }

  async tools(connection: ConnectionId): Promise<readonly ToolSummary[]> {
    return (await this.#owner.ask(gatewayRequests.tools, { connection })).tools;
  }

  async createToken(token: NewToken): Promise<string> {
    return (await this.#owner.ask(gatewayRequests.createToken, token)).token;
  }

  async editorToken(connection: ConnectionId, client: EditorClient): Promise<string> {
    return (await this.#owner.ask(gatewayRequests.editorToken, { connection, client })).token;
  }

  async changeTools(accessId: string, allowedTools: AllowedTools): Promise<void> {
    await this.#owner.ask(gatewayRequests.changeTools, { accessId, allowedTools });
  }

  async revoke(accessIds: readonly string[]): Promise<void> {
    await this.#owner.ask(gatewayRequests.revoke, { accessIds });
  }
}
