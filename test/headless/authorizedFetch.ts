import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import * as v from 'valibot';
import type { ConnectionId } from '../../src/connections/connection.ts';
import type { ConnectionManager } from '../../src/connections/connectionManager.ts';
import { operationOf } from '../../src/gateway/mcpMessage.ts';

const jsonText = v.pipe(v.string(), v.parseJson());

/**
 * The `fetch` of an MCP client's transport that has its tokens from the token manager: adds the token, and asks the
 * manager what to do about a 401 or 403. Signs in where the manager says so. It counts nothing itself: that a server
 * which challenges for ever is stopped is the manager's to see to (P25).
 * Throws what the manager throws, `foreign_origin` among it.
 */
export function createAuthorizedFetch(manager: ConnectionManager, id: ConnectionId): FetchLike {
  return async (url, init) => {
    const body = v.safeParse(jsonText, init?.body);
    const operation = operationOf(init?.method, body.success ? body.output : undefined);
    const request = { method: init?.method ?? 'GET', url: String(url) };
    for (;;) {
      // Before the first sign-in a request goes without a token, and the challenge says what to do.
      const isKnown = manager.get(id)?.issuer !== undefined;
      const authorization = isKnown ? await manager.authorizeRequest(id, request) : undefined;
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(authorization?.headers ?? {})) headers.set(name, value);
      const response = await fetch(url, { ...init, headers });
      const dpopNonce = response.headers.get('dpop-nonce') ?? undefined;
      if (dpopNonce !== undefined) manager.noteDpopNonce(request.url, dpopNonce);
      const { status } = response;
      if (status !== 401 && status !== 403) return response;
      const wwwAuthenticate = response.headers.get('www-authenticate');
      const token = authorization?.accessToken;
      const outcome = await manager.answerChallenge(id, { status, wwwAuthenticate, operation, token, dpopNonce });
      if (outcome.type === 'pass' || outcome.type === 'stop') return response;
      await response.body?.cancel();
      if (outcome.type === 'authorize') await manager.authorize(id);
    }
  };
}
