import * as vscode from 'vscode';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { Disposable } from '../connections/ports.ts';
import type { EditorClient, GatewayService } from '../gateway/gatewayService.ts';
import type { LocalAccess } from '../gateway/localAccess.ts';
import type { Consent } from './consent.ts';
import { gatewayUrlOf } from './gatewayUrls.ts';
import { providerIds } from './ids.ts';
import { t } from './localize.ts';
import { connectionOfScopes } from './sessionScopes.ts';

export interface ExtensionSessionsParts {
  readonly service: Pick<ConnectionService, 'connections' | 'get'>;
  readonly gateway: GatewayService;
  readonly consent: Pick<Consent, 'ask'>;
  readonly ensureReady: () => Promise<void>;
}

/**
 * Whom a session is for. VS Code tells a provider neither in `getSessions` nor in `createSession` which extension asks:
 * it asks the person itself, for each extension and account, and keeps the list (*Manage Trusted Extensions*). So a
 * session can be bound to the connection and to what extensions in general were allowed, but not to one extension.
 */
const ANY_EXTENSION: EditorClient = { type: 'extension', extensionId: '*' };

/** Lets other extensions use a connection by `vscode.authentication.getSession('scopekeeper', [slug])`. */
export function offerSessions(parts: ExtensionSessionsParts): Disposable {
  const provider = new ExtensionSessions(parts);
  const { authentication } = providerIds;
  const options = { supportsMultipleAccounts: true };
  return vscode.Disposable.from(
    provider,
    vscode.authentication.registerAuthenticationProvider(authentication, 'Scopekeeper', provider, options),
  );
}

/**
 * Sessions of other extensions: one for each connection that the person let extensions use. The account is the
 * connection. The token is one of the gateway's, good for this connection and the tools that were allowed, and for
 * nothing else (P43, P45); the server's own token is never given.
 */
class ExtensionSessions implements vscode.AuthenticationProvider {
  readonly onDidChangeSessions: vscode.Event<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>;
  readonly #parts: ExtensionSessionsParts;
  readonly #changes = new vscode.EventEmitter<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>();
  readonly #subscription: Disposable;
  #known: readonly LocalAccess[];

  constructor(parts: ExtensionSessionsParts) {
    this.#parts = parts;
    this.#known = this.#accesses();
    this.onDidChangeSessions = this.#changes.event;
    this.#subscription = parts.gateway.onDidChangeAccesses(() => this.#look());
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changes.dispose();
  }

  /** @param scopes as for {@link connectionOfScopes}; all sessions without them */
  async getSessions(
    scopes: readonly string[] | undefined,
    { account }: vscode.AuthenticationProviderSessionOptions = {},
  ): Promise<vscode.AuthenticationSession[]> {
    const isOfAll = scopes === undefined || scopes.length === 0;
    if (this.#accesses().length === 0) return [];
    const wanted = isOfAll ? undefined : await this.#connectionOf(scopes);
    if (!isOfAll && wanted === undefined) return [];
    const sessions = this.#accesses().flatMap((access) => {
      const connection = this.#parts.service.get(access.connection ?? '');
      if (connection === undefined || connection.id !== (wanted?.id ?? connection.id)) return [];
      return connection.id === (account?.id ?? connection.id) ? [{ access, connection }] : [];
    });
    return Promise.all(
      sessions.map(async ({ access, connection }) => {
        const token = await this.#parts.gateway.editorToken(connection.id, ANY_EXTENSION);
        return session(access, connection, token, isOfAll ? undefined : scopes);
      }),
    );
  }

  /** Asks the person. Throws `CancellationError` when they say no, and an error in words for scopes that mean nothing. */
  async createSession(
    scopes: readonly string[],
    { account }: vscode.AuthenticationProviderSessionOptions = {},
  ): Promise<vscode.AuthenticationSession> {
    const { consent, ensureReady, gateway, service } = this.#parts;
    await ensureReady();
    const meant = await this.#connectionOf(scopes);
    if (scopes.length > 0 && meant === undefined) {
      throw new Error(t('Scopekeeper has no connection that is called {0}.', scopes.join(' ')));
    }
    const asked = meant?.id ?? account?.id;
    const remembered = this.#accessOf(asked)?.allowedTools;
    const answer = await consent.ask({ requester: { type: 'extension' }, connection: asked, remembered });
    if (answer.type === 'denied') throw new vscode.CancellationError();
    const token = await gateway.editorToken(answer.connection, ANY_EXTENSION);
    const access = this.#accessOf(answer.connection);
    const connection = service.get(answer.connection);
    // It was revoked, or the connection removed, in this very moment.
    if (access === undefined || connection === undefined) throw new vscode.CancellationError();
    if (JSON.stringify(access.allowedTools) !== JSON.stringify(answer.allowedTools)) {
      await gateway.changeTools(access.id, answer.allowedTools);
    }
    return session(access, connection, token, scopes);
  }

  /** Revokes the token, for all extensions that have it. */
  async removeSession(sessionId: string): Promise<void> {
    await this.#parts.gateway.revoke([sessionId]);
  }

  #accesses(): readonly LocalAccess[] {
    return this.#parts.gateway.accesses.filter(({ kind }) => kind === 'extension');
  }

  #accessOf(id: ConnectionId | undefined): LocalAccess | undefined {
    return this.#accesses().find(({ connection }) => connection !== undefined && connection === id);
  }

  async #connectionOf(scopes: readonly string[]): Promise<Connection | undefined> {
    const { gateway, service } = this.#parts;
    const { connections } = service;
    const urlOf = scopes.length === 0 ? undefined : await gatewayUrlOf(gateway, connections);
    return urlOf === undefined ? undefined : connectionOfScopes(scopes, connections, urlOf);
  }

  /** Tells the editor what came and went; uses of a token are no change of a session. */
  #look(): void {
    const before = this.#known;
    this.#known = this.#accesses();
    const without = (all: readonly LocalAccess[], some: readonly LocalAccess[]) =>
      all.filter(({ id }) => !some.some((one) => one.id === id)).flatMap((access) => this.#announced(access));
    const added = without(this.#known, before);
    const removed = without(before, this.#known);
    if (added.length + removed.length > 0) this.#changes.fire({ added, removed, changed: [] });
  }

  /** VS Code takes from an event which sessions changed, and asks {@link getSessions} for the token. */
  #announced(access: LocalAccess): vscode.AuthenticationSession[] {
    if (access.connection === undefined) return [];
    const { id, name, slug } = this.#parts.service.get(access.connection) ?? {
      id: access.connection,
      name: access.connection,
      slug: access.connection,
    };
    return [{ id: access.id, accessToken: '', account: { id, label: name }, scopes: [slug] }];
  }
}

function session(
  access: LocalAccess,
  { id, name, slug }: Connection,
  accessToken: string,
  scopes: readonly string[] | undefined,
): vscode.AuthenticationSession {
  const named = scopes === undefined || scopes.length === 0 ? [slug] : scopes;
  return { id: access.id, accessToken, account: { id, label: name }, scopes: named };
}
