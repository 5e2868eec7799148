import * as vscode from 'vscode';
import type { ConnectionService } from '../connections/connectionService.ts';
import { currentGrant } from '../connections/connection.ts';
import { summarizeHealth } from '../connections/health.ts';
import type { Clock } from '../connections/ports.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type { RoleState, WindowRole } from '../owner/windowRole.ts';
import type { ChangeBatches } from './changeBatches.ts';
import { setContextKey } from './contextKeys.ts';
import { errorText } from './errorText.ts';
import { t } from './localize.ts';
import { troubleOf } from './trouble.ts';
import { showError } from './notifications.ts';

export interface ViewStateParts {
  readonly view: vscode.TreeView<unknown>;
  readonly service: Pick<ConnectionService, 'connections'>;
  readonly gateway: Pick<GatewayService, 'accesses' | 'onDidChangeAccesses'>;
  readonly role: WindowRole;
  readonly batches: ChangeBatches;
  readonly clock: Clock;
}

/** Keeps what surrounds the tree in step: its message, its badge and the context keys of the menus. */
export function keepViewState(parts: ViewStateParts): vscode.Disposable {
  const { batches, clock, gateway, role, service, view } = parts;
  const update = () => {
    const { connections } = service;
    setContextKey('scopekeeper.role', role.state.type);
    setContextKey('scopekeeper.trouble', troubleOf(role.state));
    setContextKey('scopekeeper.hasConnections', connections.length > 0);
    setContextKey(
      'scopekeeper.isConnected',
      connections.some((connection) => currentGrant(connection) !== undefined),
    );
    setContextKey(
      'scopekeeper.isAuthorizing',
      connections.some(({ state }) => state.type === 'authorizing'),
    );
    // Where nothing is listed, the welcome text says it, with buttons; the editor shows none beside a message.
    view.message = connections.length === 0 ? '' : (roleMessage(role.state) ?? '');
    const { needingUser: value } = summarizeHealth(connections, clock.now());
    view.badge = value === 0 ? undefined : { value, tooltip: t('{0} MCP connections need you', value) };
  };
  const updateClients = () => setContextKey('scopekeeper.hasLocalClients', gateway.accesses.length > 0);
  const tellBlocked = (state: RoleState) => {
    // Without it nobody who does not look at the view would know that nothing is renewed any more.
    if (state.type === 'blocked') void showBlocked(state.error, role);
  };
  const subscriptions = [
    batches.onDidChange(update),
    gateway.onDidChangeAccesses(updateClients),
    role.onDidChange(update),
    role.onDidChange(tellBlocked),
  ];
  update();
  updateClients();
  return vscode.Disposable.from(...subscriptions);
}

/** *Show Problem*: tells again what keeps this window from the connections, with the button that helps. */
export async function showProblem(role: WindowRole): Promise<void> {
  if (role.state.type !== 'blocked') return;
  void showBlocked(role.state.error, role); // it stays until the person is done with it
  // It may be there already, out of sight.
  await vscode.commands.executeCommand('notifications.showList');
}

async function showBlocked(error: unknown, role: WindowRole): Promise<void> {
  await showError(error, { tryAgain: async () => role.look() });
}

/** What the view says when this window cannot get at the connections. */
function roleMessage(state: RoleState): string | undefined {
  if (state.type !== 'blocked') return undefined;
  const { message, nextStep } = errorText(state.error);
  return `${message} ${nextStep}`;
}
