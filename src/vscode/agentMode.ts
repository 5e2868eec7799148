import * as vscode from 'vscode';
import type { ConnectionId } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { describeError } from '../connections/errors.ts';
import type { Disposable, Log } from '../connections/ports.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import { agentServers } from './agentServers.ts';
import type { ChangeBatches } from './changeBatches.ts';
import { providerIds, settingIds } from './ids.ts';
import { isAgentModeEnabled } from './settings.ts';

export interface AgentModeParts {
  readonly service: Pick<ConnectionService, 'connections' | 'get'>;
  readonly batches: Pick<ChangeBatches, 'onDidChange'>;
  readonly gateway: Pick<GatewayService, 'accesses' | 'onDidChangeAccesses' | 'gatewayUrl' | 'editorToken'>;
  readonly log: Log;
}

/** Gives every connected server to agent mode. Does nothing in an editor that has none (forks, older ones). */
export function offerToAgentMode(parts: AgentModeParts): Disposable {
  // Looked for, not read: other members of `lm` throw when they are.
  const isOffered = 'lm' in vscode && 'registerMcpServerDefinitionProvider' in vscode.lm;
  if (!isOffered || !('McpHttpServerDefinition' in vscode)) return { dispose: () => undefined };
  const provider = new AgentModeProvider(parts);
  return vscode.Disposable.from(
    provider,
    vscode.lm.registerMcpServerDefinitionProvider(providerIds.agentMode, provider),
  );
}

/**
 * The connected servers, at their URLs at the gateway. VS Code writes what is provided into its storage, headers too, so
 * the token is only in what is resolved, when a server is started; the editor trusts what an extension provides.
 */
class AgentModeProvider implements vscode.McpServerDefinitionProvider<vscode.McpHttpServerDefinition> {
  readonly onDidChangeMcpServerDefinitions: vscode.Event<void>;
  readonly #parts: AgentModeParts;
  readonly #changes = new vscode.EventEmitter<void>();
  readonly #subscriptions: Disposable[];
  readonly #connectionOf = new WeakMap<vscode.McpHttpServerDefinition, ConnectionId>();
  /** The connections that the editor has a token for, to see when one is revoked. */
  #withToken: ReadonlySet<ConnectionId>;
  readonly #revocations = new Map<ConnectionId, number>();
  /** What was provided last; undefined when it could not be. */
  #provided: string | undefined;

  constructor(parts: AgentModeParts) {
    this.#parts = parts;
    this.#withToken = this.#tokens();
    this.onDidChangeMcpServerDefinitions = this.#changes.event;
    this.#subscriptions = [
      this.#changes,
      parts.batches.onDidChange(() => this.#look()),
      parts.gateway.onDidChangeAccesses(() => this.#onAccesses()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration(settingIds.agentMode)) this.#look();
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Asks nothing of anybody while there is no connection, as before they are loaded. */
  async provideMcpServerDefinitions(): Promise<vscode.McpHttpServerDefinition[]> {
    const { gateway, log } = this.#parts;
    const servers = this.#servers();
    this.#provided = JSON.stringify(servers);
    try {
      return await Promise.all(
        servers.map(async ({ connection, label, version }) => {
          const uri = vscode.Uri.parse(await gateway.gatewayUrl(connection), true);
          const definition = new vscode.McpHttpServerDefinition(label, uri, {}, version);
          this.#connectionOf.set(definition, connection);
          return definition;
        }),
      );
    } catch (error) {
      // The next change of a connection offers them again.
      this.#provided = undefined;
      log.warn(`Agent mode is not given the servers now: ${describeError(error)}`);
      return [];
    }
  }

  /** The server with its token, in a new definition: VS Code keeps the one that was provided. */
  async resolveMcpServerDefinition(
    provided: vscode.McpHttpServerDefinition,
  ): Promise<vscode.McpHttpServerDefinition | undefined> {
    const { gateway, service } = this.#parts;
    const id = this.#connectionOf.get(provided);
    if (id === undefined || service.get(id) === undefined || !isAgentModeEnabled()) return undefined;
    const token = await gateway.editorToken(id, { type: 'agent' });
    const headers = { ...provided.headers, Authorization: `Bearer ${token}` };
    return new vscode.McpHttpServerDefinition(provided.label, provided.uri, headers, provided.version);
  }

  #servers(): ReturnType<typeof agentServers> {
    const { gateway, service } = this.#parts;
    if (!isAgentModeEnabled()) return [];
    return agentServers(service.connections, gateway.accesses, (id) => this.#revocations.get(id) ?? 0);
  }

  #tokens(): ReadonlySet<ConnectionId> {
    const own = this.#parts.gateway.accesses.filter(({ kind }) => kind === 'editor');
    return new Set(own.flatMap(({ connection }) => (connection === undefined ? [] : [connection])));
  }

  #onAccesses(): void {
    const before = this.#withToken;
    this.#withToken = this.#tokens();
    for (const id of before) {
      if (!this.#withToken.has(id)) this.#revocations.set(id, (this.#revocations.get(id) ?? 0) + 1);
    }
    this.#look();
  }

  /** Tells the editor, if there is anything to tell: connections and accesses change with every request. */
  #look(): void {
    if (JSON.stringify(this.#servers()) !== this.#provided) this.#changes.fire();
  }
}
