import type { TestContext } from 'node:test';
import { type Connection, currentGrant } from '../../../src/connections/connection.ts';
import { createHeadlessManager, type Headless, type HeadlessOptions } from '../../headless/headlessManager.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';

type Form = Readonly<Record<string, string>>;

/** The forms of all refresh requests, oldest first. */
export function refreshForms(server: FaultyServer): readonly Form[] {
  return server.requestsTo('token').flatMap(({ form }) => (form?.['grant_type'] === 'refresh_token' ? [form] : []));
}

/** What refresh requests sent, from the `from`-th on: the scopes, and a `+` for `resource`. */
export function sentForms(server: FaultyServer, from = 0): readonly string[] {
  return refreshForms(server)
    .slice(from)
    .map(({ scope, resource }) => `${scope ?? '-'}${resource === undefined ? '' : ' +'}`);
}

export function granted(connection: Connection | undefined): readonly string[] | undefined {
  return connection === undefined ? undefined : currentGrant(connection)?.granted;
}

/** The secret document that is stored for the connection, as text. */
export function stored(headless: Headless, id: string): string {
  return headless.keychain.entries.get(`connection:${id}`) ?? '';
}

/** Ends a manager, and starts another one with the same file and keychain. */
export async function restart(
  t: TestContext,
  headless: Headless,
  options: Partial<HeadlessOptions> = {},
): Promise<Headless> {
  await headless.dispose();
  const { file, journalFolder, keychain } = headless;
  const restarted = createHeadlessManager({
    file,
    journalFolder,
    keychain,
    browser: async () => undefined,
    ...options,
  });
  t.after(async () => restarted.dispose());
  await restarted.manager.start();
  return restarted;
}
