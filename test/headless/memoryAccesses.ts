import { randomUUID } from 'node:crypto';
import { Emitter } from '../../src/connections/emitter.ts';
import type { Disposable } from '../../src/connections/ports.ts';
import type { EditorClient, NewToken } from '../../src/gateway/gatewayService.ts';
import type { AllowedTools, LocalAccess } from '../../src/gateway/localAccess.ts';
import type { AccessRegistry } from '../../src/gateway/ownedGateway.ts';

/** Who has access, in memory. */
export class MemoryAccesses implements AccessRegistry {
  accesses: readonly LocalAccess[] = [];
  /** Thrown by {@link load}. */
  trouble: Error | undefined;
  readonly #editorTokens = new Map<string, string>();
  readonly #changes = new Emitter<object>((error) => {
    throw error;
  });

  async load(): Promise<void> {
    if (this.trouble !== undefined) throw this.trouble;
  }

  async dispose(): Promise<void> {
    this.accesses = [];
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#changes.listen(listener);
  }

  async createToken({ label, connection, allowedTools, lifetimeMs }: NewToken): Promise<string> {
    this.#add({
      ...{ id: randomUUID(), kind: 'token', label, connection, allowedTools, createdAt: 1 },
      ...(lifetimeMs !== undefined && { expiresAt: 1 + lifetimeMs }),
    });
    return `token-${randomUUID()}`;
  }

  async editorToken(connection: string, client: EditorClient): Promise<string> {
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

  #add(access: LocalAccess): void {
    this.#set([...this.accesses, access]);
  }

  #set(accesses: readonly LocalAccess[]): void {
    this.accesses = accesses;
    this.#changes.fire({});
  }
}
