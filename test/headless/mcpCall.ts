import type { ConnectionService } from '../../src/connections/connectionService.ts';
import type { TokenService } from '../../src/connections/tokenService.ts';

export interface McpCall {
  /** Of the last answer. */
  readonly status: number;
  /** What the manager said to each challenge. */
  readonly outcomes: readonly string[];
}

export interface McpCallOptions {
  readonly tool?: string;
  /** Signs in when that is what the manager says; otherwise the call ends there. */
  readonly mayAuthorize?: boolean;
}

/** Calls a tool of an MCP server as the gateway does: with the token, taking nonces, answering challenges. */
export async function callTool(
  manager: ConnectionService & TokenService,
  id: string,
  { tool = 'read_file', mayAuthorize = false }: McpCallOptions = {},
): Promise<McpCall> {
  const url = manager.get(id)?.serverUrl ?? '';
  const outcomes: string[] = [];
  for (let attempt = 0; ; attempt += 1) {
    const { accessToken, headers } = await manager.authorizeRequest(id, { method: 'POST', url });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }),
    });
    await response.text();
    const { status } = response;
    const dpopNonce = response.headers.get('dpop-nonce') ?? undefined;
    if (dpopNonce !== undefined) manager.noteDpopNonce(url, dpopNonce);
    if (status !== 401 && status !== 403) return { status, outcomes };
    const wwwAuthenticate = response.headers.get('www-authenticate');
    const challenge = { status, wwwAuthenticate, token: accessToken, dpopNonce, operation: tool, attempt } as const;
    const { type } = await manager.answerChallenge(id, challenge);
    outcomes.push(type);
    if (type === 'authorize' && mayAuthorize) await manager.authorize(id);
    else if (type !== 'retry') return { status, outcomes };
  }
}
