import type * as vscode from 'vscode';
import type { ConnectionId } from '../../connections/connection.ts';
import { DetailsPanels, type DetailsPanelsParts } from './detailsPanels.ts';
import { exportDiagnostics, type ExportParts } from './exportDiagnostics.ts';

export type DetailsParts = DetailsPanelsParts & ExportParts;

/** What is told in full of a connection: in a view, and as a file. */
export interface Details extends vscode.Disposable {
  /** Shows the details view of a connection. */
  show(id: ConnectionId): void;
  /** Writes a file about one connection, or about all; see `exportDiagnostics`. */
  export(id?: ConnectionId): Promise<void>;
}

/** Offers the details view, from now on and for views that were open before a restart, and the export. */
export function offerDetails(parts: DetailsParts): Details {
  const panels = new DetailsPanels(parts);
  return {
    show: (id) => panels.show(id),
    export: async (id) => exportDiagnostics(parts, id),
    dispose: () => panels.dispose(),
  };
}
