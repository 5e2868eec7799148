import { createServer, type Server } from 'node:http';
import type { TestContext } from 'node:test';
import type { ConnectionId } from '../../src/connections/connection.ts';
import { Emitter } from '../../src/connections/emitter.ts';
import type { Disposable } from '../../src/connections/ports.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createGateway, type GatewayParts } from '../../src/gateway/gateway.ts';
import type { AllowedTools, LocalAccess } from '../../src/gateway/localAccess.ts';
import type { AccessTokens } from '../../src/gateway/ports.ts';
import { createGuardedFetch } from '../../src/platform/guardedFetch.ts';
import { createUpstream } from '../../src/platform/upstream.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import type { Headless } from './headlessManager.ts';

/** Who has access, by token and connection. */
export class AccessMap implements AccessTokens {
  readonly #accesses = new Map<string, LocalAccess>();
  /** Every token and connection that was asked for. */
  readonly used: (readonly [string, ConnectionId])[] = [];
  readonly #changes = new Emitter<object>((error) => {
    throw error;
  });

  /** Lets a client in, and gives its token. */
  add(connection: ConnectionId, allowedTools: AllowedTools = '*'): string {
    const id = `access-${this.#accesses.size}`;
    const token = `inbound-token-${this.#accesses.size}-of-a-local-client`;
    this.#accesses.set(`${token} ${connection}`, {
      id,
      kind: 'token',
      label: id,
      connection,
      allowedTools,
      createdAt: 0,
    });
    return token;
  }

  /** Takes the access of this token away. */
  remove(token: string): void {
    for (const key of this.#accesses.keys()) if (key.startsWith(`${token} `)) this.#accesses.delete(key);
    this.#changes.fire({});
  }

  get accesses(): readonly LocalAccess[] {
    return [...this.#accesses.values()];
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#changes.listen(listener);
  }

  use(token: string, connection: ConnectionId): LocalAccess | undefined {
    this.used.push([token, connection]);
    return this.#accesses.get(`${token} ${connection}`);
  }
}

/** A gateway over a real token manager, on a port of 127.0.0.1, until the test ends. */
export interface TestGateway {
  readonly origin: string;
  readonly accesses: AccessMap;
  readonly server: Server;
  /** The connection's URL at the gateway. */
  url(id: ConnectionId): string;
}

/** For `onDidDecline`: calls `begin` whenever a request begins to wait for the person, who never declines. */
export function whenWaiting(begin: () => void): GatewayParts['onDidDecline'] {
  return () => {
    begin();
    return { dispose: () => undefined };
  };
}

export async function startTestGateway(
  t: TestContext,
  headless: Pick<Headless, 'manager' | 'log'>,
  parts: Partial<GatewayParts> = {},
): Promise<TestGateway> {
  const gateway = await startGatewayFor(headless, parts);
  t.after(async () => gateway.close());
  return gateway;
}

/** The same for a process that ends with it. */
export async function startGatewayFor(
  { manager, log }: Pick<Headless, 'manager' | 'log'>,
  parts: Partial<GatewayParts> = {},
): Promise<TestGateway & { close(): Promise<void> }> {
  const guardedFetch = createGuardedFetch({ version: '0.0.0' });
  const upstream = createUpstream({ guardedFetch, clock: systemClock });
  const accesses = new AccessMap();
  const gateway = createGateway({
    connections: manager,
    tokens: manager,
    accesses,
    upstream,
    authorizationServer: { handle: () => false },
    resourceMetadataUrl: (origin, slug) => `${origin}/.well-known/oauth-protected-resource/${slug}/mcp`,
    stepUpTimeoutMs: () => 120_000,
    onDidDecline: whenWaiting(() => undefined),
    clock: systemClock,
    log,
    ...parts,
  });
  const server = createServer();
  const origin = await listenOnLoopback(server);
  const port = Number(new URL(origin).port);
  server.on('request', (request, response) => gateway.handle(request, response, port));
  return {
    origin,
    accesses,
    server,
    url: (id) => `${origin}/${manager.get(id)?.slug ?? ''}/mcp`,
    async close() {
      gateway.dispose();
      upstream.dispose();
      guardedFetch.dispose();
      await stopServer(server);
    },
  };
}
