import assert from 'node:assert/strict';
import { configClients } from '../../../src/mcpConfig/clients.ts';
import type { ClientId, ConfigClient } from '../../../src/mcpConfig/configClient.ts';

/** The client of that id. */
export function clientOf(id: ClientId): ConfigClient {
  const client = configClients.find((one) => one.id === id);
  assert.ok(client, id);
  return client;
}
