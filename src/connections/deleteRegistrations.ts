import type { Client } from '../oauth/client.ts';
import { deleteRegistration } from '../oauth/registrationManagement.ts';
import type { Connection } from './connection.ts';
import { describeError } from './errors.ts';
import { fetchOf } from './fetchOf.ts';
import type { FlowPorts } from './flows/flow.ts';
import type { Log } from './ports.ts';

/**
 * Deletes registrations that a connection no longer uses, where their servers offer that (RFC 7592, P12). What fails
 * is logged and stops nothing: never rejects.
 */
export async function deleteRegistrations(
  { fetch, log, resolveReach }: Pick<FlowPorts, 'fetch' | 'resolveReach'> & { readonly log: Log },
  { id, serverUrl, settings }: Pick<Connection, 'id' | 'serverUrl' | 'settings'>,
  clients: readonly Client[],
): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      try {
        const reach = await resolveReach(serverUrl);
        const isDeleted = await deleteRegistration(fetchOf(fetch, settings), client, reach);
        if (isDeleted) log.info(`A registration of ${id} at ${client.issuer} was deleted.`);
      } catch (error) {
        log.warn(`A registration of ${id} at ${client.issuer} could not be deleted: ${describeError(error)}`);
      }
    }),
  );
}
