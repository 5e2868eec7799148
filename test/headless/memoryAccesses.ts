import { randomUUID } from 'node:crypto';
import { Emitter } from '../../src/connections/emitter.ts';
import { ConnectionError } from '../../src/connections/errors.ts';
import type { Disposable } from '../../src/connections/ports.ts';
import type { EditorClient, NewToken } from '../../src/gateway/gatewayService.ts';
import type { AllowedTools, LocalAccess } from '../../src/gateway/localAccess.ts';
import type { GatewayConnections } from '../../src/gateway/ports.ts';
import type { AccessRegistry } from '../../src/gateway/ownedGateway.ts';

/** Who has access, in memory. */
export class MemoryAccesses implements AccessRegistry {
  accesses: readonly LocalAccess[] = [];
  problem: Error | undefined = new ConnectionError('owner_gone', {});
  /** Thrown by {@link load}. */
  trouble: Error | undefined;
  readonly #connections: GatewayConnections;
  readonly #editorTokens = new Map<string, string>();
  readonly #changes = new Emitter<object>((error) => {
    throw error;
  });

  constructor(connections: GatewayConnections) {
    this.#connections = connections;
    connections.onDidChangeConnection(({ connection: { id }, type }) => {
      if (type === 'removed') this.#set(this.accesses.filter(({ connection }) => connection !== id));
    });
  }

  async load(): Promise<void> {
    this.problem = this.trouble;
    if (this.trouble !== undefined) throw this.trouble;
  }

  async dispose(): Promise<void> {
    this.accesses = [];
    this.problem = new ConnectionError('owner_gone', {});
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#changes.listen(listener);
  }

  async createToken({ label, connection, allowedTools, lifetimeMs }: NewToken): Promise<string> {
    this.#require(connection);
    this.#add({
      ...{ id: randomUUID(), kind: 'token', label, connection, allowedTools, createdAt: 1 },
      ...(lifetimeMs !== undefined && { expiresAt: 1 + lifetimeMs }),
    });
    return `token-${randomUUID()}`;
  }

  async editorToken(connection: string, client: EditorClient): Promise<string> {
    this.#require(connection);
    const key = JSON.stringify([connection, client]);
    const token = this.#editorTokens.get(key) ?? `token-${randomUUID()}`;
    if (!this.#editorTokens.has(key)) {
      const [kind, label] =
        client.type === 'agent' ? (['editor', ''] as const) : (['extension', client.extensionId] as const);
      this.#add({ id: randomUUID(), kind, label, connection, allowedTools: '*', createdAt: 1 });
      this.#editorTokens.set(key, token);
    }
    return token;
  }

  async changeTools(accessId: string, allowedTools: AllowedTools): Promise<void> {
    this.#set(this.accesses.map((access) => (access.id === accessId ? { ...access, allowedTools } : access)));
  }

  async revoke(accessIds: readonly string[]): Promise<void> {
    this.#set(this.accesses.filter(({ id }) => !accessIds.includes(id)));
  }

  #require(id: string): void {
    if (this.#connections.get(id) === undefined) throw new ConnectionError('connection_unknown', { id });
  }

  #add(access: LocalAccess): void {
    this.#set([...this.accesses, access]);
  }

  #set(accesses: readonly LocalAccess[]): void {
    this.accesses = accesses;
    this.#changes.fire({});
  }
}
