import type { Connection, SettingsChange } from '../connections/connection.ts';
import type { ConnectionChange, ConnectionService } from '../connections/connectionService.ts';
import { asScopekeeperError, ConnectionError, describeError } from '../connections/errors.ts';
import type { Disposable, Log, OpenBrowser, PrepareRedirect } from '../connections/ports.ts';
import type { AuthorizeOptions } from '../connections/signIns.ts';
import type { ByteReader } from './byteReader.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import { promptRequests } from './gatewayProtocol.ts';
import { messageConnection } from './messageStream.ts';
import type { PromptingWindow, Prompts, Seat } from './prompts.ts';
import { serveGateway, tellAccesses } from './serveGateway.ts';
import { viewOf } from './wireConnection.ts';
import { changeNotification, focusNotification, guestRequests, ownerRequests } from './windowProtocol.ts';
import { ask, done, serve } from './windowRpc.ts';

/** What the owner lets guests use. */
export interface OwnedConnections extends ConnectionService {
  authorize(id: string, options?: AuthorizeOptions): ReturnType<ConnectionService['authorize']>;
}

export interface ServeGuestParts {
  readonly service: OwnedConnections;
  readonly gateway: GatewayService;
  /** Where the guest takes its place among the windows in which the person is asked. */
  readonly prompts: Pick<Prompts, 'join'>;
  readonly redirectUri: PrepareRedirect;
  readonly sampleUrl: () => Promise<string>;
  /** Resolves when the connections are loaded; a guest may come before that. Rejects when they cannot be. */
  readonly whenLoaded: () => Promise<void>;
  readonly windowName: () => string;
  readonly log: Log;
}

/** Lets a guest that has proved itself use the connections, until its window ends. */
export function serveGuest(reader: ByteReader, parts: ServeGuestParts): void {
  const { gateway, log, prompts, redirectUri, sampleUrl, service } = parts;
  const rpc = messageConnection(reader, log);
  const tell = (type: ConnectionChange['type'], connection: Connection): void => {
    const params = { type, view: viewOf(service, connection) };
    rpc
      .sendNotification(changeNotification.method, params)
      .catch((error: unknown) => log.warn(`A window was not told of a change: ${describeError(error)}`));
  };

  const openBrowser: OpenBrowser = async (url) => (await ask(rpc, guestRequests.openBrowser, { url })).isOpened;

  const window: PromptingWindow = {
    askConsent: async (request, signal) => ask(rpc, promptRequests.askConsent, request, signal),
    tellDemand: async (demand, signal) => void (await ask(rpc, promptRequests.tellDemand, demand, signal)),
    tellPort: async (news, signal) => void (await ask(rpc, promptRequests.tellPort, news, signal)),
  };

  let subscriptions: readonly Disposable[] = [];
  let seat: Seat | undefined;
  let hasLeft = false;
  const leave = (): void => {
    for (const subscription of subscriptions) subscription.dispose();
  };
  rpc.onClose(() => {
    hasLeft = true;
    leave();
  });
  serve(rpc, ownerRequests.attach, async ({ windowName, focusedAt }) => {
    await parts.whenLoaded();
    // It did not wait for that: nobody would end what begins now.
    if (hasLeft) throw new ConnectionError('owner_gone', {});
    leave();
    const changes = service.onDidChangeConnection(({ type, connection }) => tell(type, connection));
    for (const connection of service.connections) tell('added', connection);
    seat = prompts.join(window, focusedAt);
    subscriptions = [changes, tellAccesses(rpc, gateway, log), seat];
    log.info(`The window ${windowName} uses the connections of this one.`);
    return { windowName: parts.windowName() };
  });
  serve(rpc, ownerRequests.ping, async () => {
    seat?.noteAlive();
    return {};
  });
  serve(rpc, ownerRequests.add, async ({ serverUrl, name, kind }) => service.add(serverUrl, name, kind));
  serve(rpc, ownerRequests.changeKind, async ({ id, kind, entered, ...change }) =>
    done(service.changeKind(id, kind, changeOf(change), entered)),
  );
  serve(rpc, ownerRequests.discoverIssuer, async ({ id }, signal) => ({
    issuer: await service.discoverIssuer(id, { signal }),
  }));
  serve(rpc, ownerRequests.rename, async ({ id, name }) => done(service.rename(id, name)));
  serve(rpc, ownerRequests.remove, async ({ id, ...options }) => service.remove(id, options));
  serve(rpc, ownerRequests.authorize, async ({ id, scopes }, signal) => {
    // A window that dies cancels nothing: the person may be in the browser, and finds the outcome in another window.
    const { type } = await service.authorize(id, { signal, openBrowser, ...(scopes !== undefined && { scopes }) });
    return { type };
  });
  serve(rpc, ownerRequests.cancelAuthorization, async ({ id }) => done(service.cancelAuthorization(id)));
  serve(rpc, ownerRequests.trace, async ({ id }) => {
    const trace = await service.trace(id);
    return trace === undefined ? {} : { trace };
  });
  serve(rpc, ownerRequests.handleCallback, async ({ url }) => {
    const outcome = await service.handleCallback(url);
    if (outcome.type === 'connected') return { type: outcome.type, id: outcome.connection.id };
    return { type: outcome.type, error: asScopekeeperError(outcome.error) };
  });
  serve(rpc, ownerRequests.refresh, async ({ id }) => done(service.refresh(id)));
  serve(rpc, ownerRequests.disconnect, async ({ id }) => service.disconnect(id));
  serve(rpc, ownerRequests.configure, async ({ id, entered, ...change }) =>
    done(service.configure(id, changeOf(change), entered)),
  );
  serve(rpc, ownerRequests.sampleUrl, async () => ({ url: await sampleUrl() }));
  serve(rpc, ownerRequests.redirectUri, async ({ kind }) => ({ uri: await redirectUri(kind) }));
  rpc.onNotification(focusNotification.method, () => {
    seat?.noteFocus();
    service.noteFocus();
  });
  serveGateway(rpc, gateway);
  rpc.listen();
}

function changeOf({ settings, removed }: { readonly settings: SettingsChange; readonly removed: readonly string[] }) {
  const change: SettingsChange = { ...settings, ...Object.fromEntries(removed.map((name) => [name, undefined])) };
  return change;
}
