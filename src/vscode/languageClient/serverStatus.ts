import { currentGrant, type Connection } from '../../connections/connection.ts';
import type { DevicePrompt } from '../../connections/connectionService.ts';
import { healthOf } from '../../connections/health.ts';
import type { ServerStatus } from '../../mcpConfig/languageProtocol.ts';
import { errorText } from '../errorText.ts';
import { scopeRows, type ScopeRow } from '../scopeRows.ts';
import { connectionText } from '../treeText.ts';

const MISSING: ReadonlySet<ScopeRow['status']> = new Set(['dropped', 'demanded', 'not_granted']);

/**
 * What the language server is told of a connection: what the tree shows of it, and nothing secret.
 * @param gatewayUrl where clients on this machine use it
 * @param now the instant of its words, in ms since the epoch
 * @param device what its sign-in waits for to be entered
 */
export function serverStatus(
  connection: Connection,
  gatewayUrl: string,
  now: number,
  device?: DevicePrompt,
): ServerStatus {
  const { id, name, serverUrl, account, issuer, lastError } = connection;
  const grant = currentGrant(connection);
  return {
    id,
    name,
    serverUrl,
    gatewayUrl,
    health: healthOf(connection, now),
    ...(account !== undefined && { account }),
    ...(issuer !== undefined && { issuer }),
    granted: [...(grant?.granted ?? [])],
    missing: scopeRows(connection).flatMap(({ scope, status }) => (MISSING.has(status) ? [scope] : [])),
    ...(grant?.expiresAt !== undefined && { expiresAt: grant.expiresAt }),
    text: connectionText(connection, now, device).description,
    ...(lastError !== undefined && { problem: errorText(lastError).message }),
  };
}
