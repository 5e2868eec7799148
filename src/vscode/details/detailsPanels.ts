import { safeParse } from 'valibot';
import * as vscode from 'vscode';
import type { ConnectionId } from '../../connections/connection.ts';
import { panelIds } from '../ids.ts';
import { t } from '../localize.ts';
import { pageStateSchema } from './detailsMessages.ts';
import { DetailsPanel, type DetailsPanelParts, PAGE_OPTIONS, type PageFiles } from './detailsPanel.ts';

export type DetailsPanelsParts = Omit<DetailsPanelParts, 'pageFiles'>;

/** The details views that are open: one for each connection, which the editor gives back after a restart. */
export class DetailsPanels implements vscode.Disposable {
  readonly #parts: DetailsPanelParts;
  #files: Promise<PageFiles> | undefined;
  readonly #open = new Map<ConnectionId, DetailsPanel>();
  readonly #serializer: vscode.Disposable;

  constructor(parts: DetailsPanelsParts) {
    this.#parts = { ...parts, pageFiles: async () => this.#pageFiles() };
    this.#serializer = vscode.window.registerWebviewPanelSerializer(panelIds.details, {
      deserializeWebviewPanel: async (panel, state: unknown) => this.#restore(panel, state),
    });
  }

  dispose(): void {
    // The panels are left as they are: the editor closes them, or gives them back when it starts again.
    this.#serializer.dispose();
    for (const panel of this.#open.values()) panel.release();
    this.#open.clear();
  }

  /** Shows the details of a connection; the panel that there is for it comes to the front. */
  show(id: ConnectionId): void {
    const open = this.#open.get(id);
    if (open !== undefined) {
      open.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(panelIds.details, t('Connection'), vscode.ViewColumn.Active, {
      ...PAGE_OPTIONS,
      enableFindWidget: true,
    });
    this.#keep(panel, id);
  }

  /** Read when the first page is made, and kept for the next ones. */
  async #pageFiles(): Promise<PageFiles> {
    this.#files ??= readPageFiles(this.#parts.extensionUri);
    try {
      return await this.#files;
    } catch (error) {
      this.#files = undefined;
      throw error;
    }
  }

  #restore(panel: vscode.WebviewPanel, state: unknown): void {
    const { output, success } = safeParse(pageStateSchema, state);
    if (success && !this.#open.has(output.connectionId)) this.#keep(panel, output.connectionId);
    else panel.dispose();
  }

  #keep(panel: vscode.WebviewPanel, id: ConnectionId): void {
    const kept = new DetailsPanel(panel, id, this.#parts, () => this.#open.delete(id));
    this.#open.set(id, kept);
  }
}

async function readPageFiles(extensionUri: vscode.Uri): Promise<PageFiles> {
  const read = async (name: string): Promise<string> => {
    const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extensionUri, 'dist', name));
    return new TextDecoder().decode(bytes);
  };
  const [script, style] = await Promise.all([read('details.js'), read('details.css')]);
  return { script, style };
}
