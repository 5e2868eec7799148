import type { Client } from '../oauth/client.ts';
import { deleteRegistration } from '../oauth/registrationManagement.ts';
import type { Connection } from './connection.ts';
import { describeError } from './errors.ts';
import type { FlowPorts } from './flows/flow.ts';
import type { Log } from './ports.ts';

/**
 * Deletes registrations that a connection no longer uses, where their servers offer that (RFC 7592, P12). What fails
 * is logged and stops nothing: never rejects.
 */
export async function deleteRegistrations(
  { fetch, log, resolveReach }: Pick<FlowPorts, 'fetch' | 'resolveReach'> & { readonly log: Log },
  { id, serverUrl }: Pick<Connection, 'id' | 'serverUrl'>,
  clients: readonly Client[],
): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      try {
        const isDeleted = await deleteRegistration(fetch, client, await resolveReach(serverUrl));
        if (isDeleted) log.info(`A registration of ${id} at ${client.issuer} was deleted.`);
      } catch (error) {
        log.warn(`A registration of ${id} at ${client.issuer} could not be deleted: ${describeError(error)}`);
      }
    }),
  );
}
