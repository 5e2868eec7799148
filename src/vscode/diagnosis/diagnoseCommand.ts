import * as vscode from 'vscode';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import { diagnose, type DiagnosePorts, type Diagnosis } from '../../connections/diagnosis/diagnose.ts';
import type { ObserveOptions } from '../../connections/diagnosis/observe.ts';
import { worstFirst } from '../../connections/health.ts';
import { canonicalResource, parseServerUrl } from '../../oauth/serverUrl.ts';
import { serverUrlProblem } from '../askServerUrl.ts';
import { connectionIdOf, connectionItem } from '../connectionPicker.ts';
import { t } from '../localize.ts';
import { askText } from '../questions.ts';
import { problemWhileTyping } from '../serverUrlProblem.ts';
import { withoutLinks } from '../untrustedText.ts';
import { DiagnosisPanel } from './diagnosisPanel.ts';
import { reportOf } from './report.ts';

export interface DiagnoseCommandParts {
  readonly service: ConnectionService;
  readonly ports: DiagnosePorts;
  /** Makes sure that the connections can be seen from this window, or throws why they cannot. */
  readonly ensureReady: () => Promise<void>;
  /** Of this extension. */
  readonly version: string;
}

/** What is diagnosed: a connection, or a URL that is not connected. */
interface Target {
  readonly serverUrl: string;
  readonly connection?: Connection;
}

/** *Diagnose Connection…*: asks the servers anew, without signing in, and shows what came of it. */
export class DiagnoseCommand implements vscode.Disposable {
  readonly #parts: DiagnoseCommandParts;
  readonly #panel: DiagnosisPanel;

  constructor(parts: DiagnoseCommandParts) {
    this.#parts = parts;
    this.#panel = new DiagnosisPanel(parts.version);
  }

  dispose(): void {
    this.#panel.dispose();
  }

  /** @param argument a row of the tree, the id of a connection or a URL; without it the person chooses. */
  async run(argument?: unknown): Promise<void> {
    // A URL can be diagnosed even where the connections cannot be seen: that may be why it is wanted.
    await this.#parts.ensureReady().catch(() => undefined);
    const target = this.#targetOf(argument) ?? (await this.#pickTarget());
    if (target === undefined) return;
    const diagnosis = await this.#diagnose(target);
    if (diagnosis !== undefined) this.#panel.show(reportOf(diagnosis, target.connection));
  }

  /** Puts the last report onto the clipboard. */
  async copy(): Promise<void> {
    await this.#panel.copy();
  }

  #targetOf(argument: unknown): Target | undefined {
    const text = connectionIdOf(argument);
    if (text === undefined) return undefined;
    const connection = this.#parts.service.get(text);
    if (connection !== undefined) return { serverUrl: connection.serverUrl, connection };
    return serverUrlProblem(text) === undefined ? this.#byUrl(text) : undefined;
  }

  #byUrl(text: string): Target {
    const serverUrl = canonicalResource(parseServerUrl(text));
    const connection = this.#parts.service.connections.find((one) => one.serverUrl === serverUrl);
    return { serverUrl, ...(connection !== undefined && { connection }) };
  }

  async #pickTarget(): Promise<Target | undefined> {
    const now = Date.now();
    const connections = worstFirst(this.#parts.service.connections, now);
    if (connections.length === 0) return this.#askUrl();
    const another = { label: t('Another URL…'), iconPath: new vscode.ThemeIcon('link'), connection: undefined };
    const separator = { label: '', kind: vscode.QuickPickItemKind.Separator, connection: undefined };
    const items = [...connections.map((one) => connectionItem(one, now)), separator, another];
    const placeHolder = t('Diagnose which server?');
    const picked = await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true });
    if (picked === undefined) return undefined;
    const { connection } = picked;
    return connection === undefined ? this.#askUrl() : { serverUrl: connection.serverUrl, connection };
  }

  async #askUrl(): Promise<Target | undefined> {
    const answer = await askText({
      title: t('Diagnose Connection'),
      prompt: t('The URL of a remote MCP server. Nothing is signed in to, and nothing is registered.'),
      placeholder: 'https://example.com/mcp',
      problem: serverUrlProblem,
      problemWhileTyping,
    });
    return answer.type === 'answered' ? this.#byUrl(answer.value) : undefined;
  }

  /** Undefined when the person gives up. */
  async #diagnose({ connection, serverUrl }: Target): Promise<Diagnosis | undefined> {
    const name = withoutLinks(connection?.name ?? new URL(serverUrl).host);
    const title = t('Diagnosing {0}', name);
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    return vscode.window.withProgress(options, async (progress, cancellation) => {
      const givingUp = new AbortController();
      const subscription = cancellation.onCancellationRequested(() => givingUp.abort());
      try {
        return await diagnose(this.#parts.ports, {
          serverUrl,
          connection,
          lastSignIn: connection === undefined ? undefined : await this.#lastSignIn(connection),
          onStep: (step) => progress.report({ message: stepText(step) }),
          signal: givingUp.signal,
        });
      } catch (error) {
        if (givingUp.signal.aborted) return undefined;
        throw error;
      } finally {
        subscription.dispose();
      }
    });
  }

  /** A diagnosis does without it where the window that knows cannot be asked. */
  async #lastSignIn({ id }: Connection): ReturnType<ConnectionService['trace']> {
    return this.#parts.service.trace(id).catch(() => undefined);
  }
}

function stepText(step: Parameters<ObserveOptions['onStep']>[0]): string {
  switch (step) {
    case 'server':
      return t('asking the server');
    case 'metadata':
      return t('reading how to sign in');
    case 'authorization_server':
      return t('asking the authorization server');
  }
}
