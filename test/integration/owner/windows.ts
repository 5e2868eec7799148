import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import type { ConnectionService } from '../../../src/connections/connectionService.ts';
import { openTestWindow, type TestWindow, type TestWindowOptions } from '../../headless/testWindow.ts';
import { MemorySecretStore } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';
import { startFaultyServer } from '../../servers/faultyServer.ts';

/** A user with a folder, a keychain and a server to connect; all is closed when the test ends. */
export async function newUser(t: TestContext, faults: Partial<Faults> = {}) {
  const server = await startFaultyServer(faults);
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-windows-'));
  const keychain = new MemorySecretStore();
  const windows: { dispose(): Promise<void> }[] = [];
  // In one, since such hooks run in the order in which they were made.
  t.after(async () => {
    await Promise.all(windows.map(async (window) => window.dispose()));
    await rm(folder, { recursive: true, force: true });
    await server.close();
  });
  /** The person in the browser allows everything, and the browser goes where it is sent. */
  const browser = async (url: string): Promise<void> => {
    await openPage(await server.authorize(url));
  };
  const open = (name: string, options: Partial<TestWindowOptions> = {}): TestWindow => {
    const window = openTestWindow({ folder, name, keychain, browser, ...options });
    windows.push(window);
    return window;
  };
  /** One more window, that is closed with the others. */
  const own = <W extends { dispose(): Promise<void> }>(window: W): W => {
    windows.push(window);
    return window;
  };
  return { server, folder, keychain, open, own };
}

/** Opens a page as an address bar does; `fetch` says that it is a script's. Gives its text. */
export async function openPage(url: URL): Promise<string> {
  const [response] = await once(get(url), 'response');
  return text(response);
}

/** An owner with a connection that is signed in, and a guest. */
export async function ownerAndGuest(t: TestContext, faults: Partial<Faults> = {}) {
  const user = await newUser(t, faults);
  const owner = user.open('the owner');
  const { id } = await owner.connections.add(user.server.mcpUrl);
  await owner.connections.authorize(id);
  const guest = user.open('the guest');
  await guest.role.look();
  return { ...user, owner, guest, id };
}

/** All that a window shows. */
export function shown(service: ConnectionService) {
  return service.connections.map((connection) => ({
    connection,
    activity: service.activity(connection.id),
    url: service.authorizationUrl(connection.id),
    device: service.deviceAuthorization(connection.id),
  }));
}

/** Waits until the connection is as wanted, as its window sees it. */
export async function until(
  service: ConnectionService,
  id: string,
  test: (connection: Connection) => boolean,
): Promise<Connection> {
  return new Promise((resolve) => {
    const look = (): void => {
      const connection = service.get(id);
      if (connection === undefined || !test(connection)) return;
      changes.dispose();
      resolve(connection);
    };
    const changes = service.onDidChangeConnection(look);
    look();
  });
}
