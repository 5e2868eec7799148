import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import type { GatewayParts } from '../../src/gateway/gateway.ts';
import type { AllowedTools } from '../../src/gateway/localAccess.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import { createHeadlessManager, type Headless } from './headlessManager.ts';
import { startTestGateway, type TestGateway } from './testGateway.ts';

/** The token that the person brought; no client of ours may ever see it. */
export const UPSTREAM_TOKEN = 'upstream-token-of-the-server';

export interface RawConnection {
  readonly gateway: TestGateway;
  readonly headless: Headless;
  readonly id: string;
  readonly name: string;
  /** Where the server is. */
  readonly serverUrl: string;
  readonly server: Server;
  /** The connection's URL at the gateway. */
  readonly url: string;
  /** The inbound token of a client that was let in. */
  readonly token: string;
  readonly authorization: { readonly authorization: string };
}

type RawListener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A server that answers as `listener` says, byte for byte, connected with a token that the person brought. */
export async function startRaw(
  t: TestContext,
  listener: RawListener,
  {
    parts,
    path = '/mcp',
    tools = '*',
  }: { readonly parts?: Partial<GatewayParts>; readonly path?: string; readonly tools?: AllowedTools } = {},
): Promise<RawConnection> {
  let answer: RawListener = answerProbe;
  const server = createServer((request, response) => void answer(request, response));
  const serverUrl = (await listenOnLoopback(server)) + path;
  t.after(async () => stopServer(server));
  const headless = createHeadlessManager({ browser: async () => undefined });
  t.after(async () => headless.dispose());
  const { manager } = headless;
  const { id, name } = await manager.add(serverUrl, 'Raw', 'static_token');
  await manager.configure(id, {}, { accessToken: UPSTREAM_TOKEN });
  await manager.authorize(id);
  answer = listener;
  const gateway = await startTestGateway(t, headless, parts);
  const token = gateway.accesses.add(id, tools);
  const authorization = { authorization: `Bearer ${token}` };
  return { gateway, headless, id, name, serverUrl, server, url: gateway.url(id), token, authorization };
}

/** What connecting asks of a server. */
function answerProbe(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}');
}
