import * as vscode from 'vscode';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { TellDemand } from '../gateway/ports.ts';
import { demandText } from './demandText.ts';
import { t } from './localize.ts';
import type { SignIn } from './signIn.ts';

/** Tells of demands in this window, with a button that signs in here. */
export function createTellDemand(service: ConnectionService, signIn: SignIn): TellDemand {
  return async (demand) => {
    const connection = service.get(demand.connection);
    if (connection === undefined) return;
    const toSignIn = t('Sign In');
    const text = demandText(connection.name, demand);
    const chosen = await vscode.window.showWarningMessage(text, toSignIn, t('Not Now'));
    const current = service.get(demand.connection);
    // The editor may show the message for hours, and code cannot close it.
    const isOver = current === undefined || current.state.type === 'ready' || current.state.type === 'disconnected';
    if (chosen === toSignIn && !isOver) await signIn.run(current);
  };
}
