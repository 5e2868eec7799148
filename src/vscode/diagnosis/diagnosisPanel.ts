import * as vscode from 'vscode';
import { setContextKey } from '../contextKeys.ts';
import { actionCommands } from '../errorActions.ts';
import { commandIds, panelIds } from '../ids.ts';
import { t } from '../localize.ts';
import type { Report } from './report.ts';
import { reportHtml } from './reportHtml.ts';
import { reportMarkdown } from './reportMarkdown.ts';

/** Shows the last report, and copies it. */
export class DiagnosisPanel implements vscode.Disposable {
  readonly #version: string;
  #panel: vscode.WebviewPanel | undefined;
  #report: Report | undefined;

  /** @param version of this extension, for the copy. */
  constructor(version: string) {
    this.#version = version;
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  /** Shows a report in the place of the one before. */
  show(report: Report): void {
    this.#report = report;
    setContextKey('scopekeeper.hasDiagnosis', true);
    const panel = this.#panel ?? this.#open();
    panel.title = t('Diagnosis of {0}', report.name);
    panel.webview.html = reportHtml(report, globalThis.crypto.randomUUID());
    panel.reveal();
  }

  /** Puts the last report onto the clipboard, fit for an issue at the server's makers. */
  async copy(): Promise<void> {
    if (this.#report === undefined) return;
    await vscode.env.clipboard.writeText(reportMarkdown(this.#report, this.#version));
    const text = t('$(copy) Copied. Read it before you post it: it names the server');
    vscode.window.setStatusBarMessage(text, 5000);
  }

  #open(): vscode.WebviewPanel {
    const options = {
      enableScripts: false,
      localResourceRoots: [],
      enableCommandUris: [commandIds.diagnoseConnection, commandIds.copyDiagnosis, ...actionCommands],
      enableFindWidget: true,
    };
    const panel = vscode.window.createWebviewPanel(panelIds.diagnosis, '', vscode.ViewColumn.Active, options);
    panel.onDidDispose(() => {
      this.#panel = undefined;
    });
    this.#panel = panel;
    return panel;
  }
}
