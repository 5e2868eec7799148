import * as vscode from 'vscode';
import type { ConnectionService } from '../connections/connectionService.ts';
import { describeError } from '../connections/errors.ts';
import type { Clock, Log } from '../connections/ports.ts';
import type { WindowRole } from '../owner/windowRole.ts';
import { ChangeBatches } from './changeBatches.ts';
import { ConnectionsTree, type TreeAccesses } from './connectionsTree.ts';
import { StatusBar } from './statusBar.ts';
import { Ticker } from './ticker.ts';
import { keepViewState } from './viewState.ts';

export interface ShowConnectionsParts {
  readonly service: ConnectionService;
  readonly gateway: TreeAccesses;
  readonly role: WindowRole;
  readonly clock: Clock;
  readonly log: Log;
}

/** What always shows the connections in this window. */
export interface ShownConnections extends vscode.Disposable {
  readonly tree: ConnectionsTree;
  /** The connections' changes, for what else draws from all of them. */
  readonly batches: ChangeBatches;
  /** The one timer of this window, for what else shows times. */
  readonly ticker: Ticker;
}

/** Shows the connections in the tree and the status bar, and draws all of it anew when another window keeps them. */
export function showConnections({ role, log, ...parts }: ShowConnectionsParts): ShownConnections {
  const { clock, gateway, service } = parts;
  const ticker = new Ticker(clock);
  const batches = new ChangeBatches(service, ticker, (error) =>
    log.error(`A listener failed: ${describeError(error)}`),
  );
  const tree = new ConnectionsTree({ ...parts, batches, ticker });
  const statusBar = new StatusBar({ ...parts, batches, ticker });
  const redrawn = role.onDidChange(() => {
    tree.reload();
    statusBar.update();
  });
  const state = keepViewState({ view: tree.view, service, gateway, role, batches, clock });
  const all = vscode.Disposable.from(redrawn, state, statusBar, tree, batches, ticker);
  return { tree, batches, ticker, dispose: () => all.dispose() };
}
