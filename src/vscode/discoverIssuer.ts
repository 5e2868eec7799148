import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { viewIds } from './ids.ts';

/** The authorization server that a connection's server names now, with progress in the view. Throws what discovery throws. */
export async function discoverIssuer(service: ConnectionService, { id }: Connection): Promise<string> {
  return vscode.window.withProgress({ location: { viewId: viewIds.servers } }, async () => service.discoverIssuer(id));
}
