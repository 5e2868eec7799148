import type { ServerChallenge } from '../../src/connections/challengePolicy.ts';
import type { OutgoingRequest, RequestAuthorization } from '../../src/connections/tokenService.ts';
import { STATELESS_VERSION } from './suite.ts';

/** What the client needs of the token manager. */
export interface Tokens {
  /** What authorizes one request; undefined before the first sign-in. */
  readonly authorize: (request: OutgoingRequest) => Promise<RequestAuthorization | undefined>;
  /** Takes the `DPoP-Nonce` header of an answer. */
  readonly onNonce: (url: string, nonce: string) => void;
  /** Takes a 401 or 403; `retry` when the request is to be sent once more. */
  readonly onChallenge: (challenge: ServerChallenge) => Promise<'retry' | 'pass' | 'stop'>;
}

const CLIENT_INFO = { name: 'scopekeeper-conformance', version: '0.0.0' };

interface Message {
  readonly jsonrpc: '2.0';
  readonly id?: number;
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

/** A small MCP client over Streamable HTTP, in the stateful revisions and the stateless one. */
export class McpClient {
  readonly #url: string;
  readonly #version: string;
  readonly #tokens: Tokens;
  #session: string | undefined;
  #nextId = 1;

  constructor(url: string, version: string, tokens: Tokens) {
    this.#url = url;
    this.#version = version;
    this.#tokens = tokens;
  }

  /** Initialises (in the stateful revisions), lists the tools and calls one. Throws when a request is refused. */
  async run(): Promise<void> {
    if (!this.#isStateless) {
      await this.#request('initialize', {
        protocolVersion: this.#version,
        capabilities: {},
        clientInfo: CLIENT_INFO,
      });
      await this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' }, 'notifications/initialized');
    }
    await this.#request('tools/list', {});
    await this.#request('tools/call', { name: 'test-tool', arguments: {} });
  }

  get #isStateless(): boolean {
    return this.#version >= STATELESS_VERSION;
  }

  async #request(method: string, params: Record<string, unknown>): Promise<void> {
    const id = this.#nextId++;
    const meta = {
      'io.modelcontextprotocol/protocolVersion': this.#version,
      'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const body: Message = {
      jsonrpc: '2.0',
      id,
      method,
      params: this.#isStateless ? { ...params, _meta: meta } : params,
    };
    await this.#send(body, typeof params['name'] === 'string' ? `${method} ${params['name']}` : method);
  }

  /** Sends a message, and again for as long as the token manager has an answer to a challenge. */
  async #send(body: Message, operation: string): Promise<void> {
    for (;;) {
      const authorized = await this.#tokens.authorize({ method: 'POST', url: this.#url });
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers(body, authorized?.headers),
        body: JSON.stringify(body),
      });
      await response.text();
      this.#session = response.headers.get('mcp-session-id') ?? this.#session;
      const dpopNonce = response.headers.get('dpop-nonce') ?? undefined;
      if (dpopNonce !== undefined) this.#tokens.onNonce(this.#url, dpopNonce);
      if (response.ok) return;
      const { status } = response;
      const wwwAuthenticate = response.headers.get('www-authenticate');
      const isChallenge = status === 401 || status === 403;
      const answer = isChallenge
        ? await this.#tokens.onChallenge({
            status,
            wwwAuthenticate,
            operation,
            token: authorized?.accessToken,
            dpopNonce,
          })
        : 'pass';
      if (answer !== 'retry') throw new Error(`${operation}: status ${status}, ${answer}`);
    }
  }

  #headers(body: Message, authorization: RequestAuthorization['headers'] | undefined): Headers {
    const headers = new Headers({
      ...authorization,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    });
    if (body.method !== 'initialize') headers.set('mcp-protocol-version', this.#version);
    if (this.#session !== undefined) headers.set('mcp-session-id', this.#session);
    if (this.#isStateless) {
      headers.set('mcp-method', body.method);
      const name = body.params?.['name'];
      if (typeof name === 'string') headers.set('mcp-name', name);
    }
    return headers;
  }
}
