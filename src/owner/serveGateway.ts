import type { MessageConnection } from 'vscode-jsonrpc/node';
import { describeError } from '../connections/errors.ts';
import type { Disposable, Log } from '../connections/ports.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import { accessesNotification, gatewayRequests } from './gatewayProtocol.ts';
import { done, serve } from './windowRpc.ts';

/** Lets a guest use the gateway's service. */
export function serveGateway(rpc: MessageConnection, service: GatewayService): void {
  serve(rpc, gatewayRequests.gatewayUrl, async ({ connection }) => ({ url: await service.gatewayUrl(connection) }));
  serve(rpc, gatewayRequests.tools, async ({ connection }) => ({ tools: await service.tools(connection) }));
  serve(rpc, gatewayRequests.createToken, async (token) => ({ token: await service.createToken(token) }));
  serve(rpc, gatewayRequests.editorToken, async ({ connection, client }) => ({
    token: await service.editorToken(connection, client),
  }));
  serve(rpc, gatewayRequests.changeTools, async ({ accessId, allowedTools }) =>
    done(service.changeTools(accessId, allowedTools)),
  );
  serve(rpc, gatewayRequests.revoke, async ({ accessIds }) => done(service.revoke(accessIds)));
}

/** Tells a guest who has access, now and after each change. */
export function tellAccesses(rpc: MessageConnection, service: GatewayService, log: Log): Disposable {
  const tell = (): void => {
    rpc
      .sendNotification(accessesNotification.method, { accesses: service.accesses })
      .catch((error: unknown) => log.warn(`A window was not told of an access: ${describeError(error)}`));
  };
  tell();
  return service.onDidChangeAccesses(tell);
}
