import { randomBytes } from 'node:crypto';
import { safeParse } from 'valibot';
import * as vscode from 'vscode';
import type { Connection, ConnectionId } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import { describeError } from '../../connections/errors.ts';
import type { Clock, Disposable, Log } from '../../connections/ports.ts';
import type { AuthorizationTrace } from '../../connections/trace.ts';
import type { RoleState, WindowRole } from '../../owner/windowRole.ts';
import { plainText } from '../../oauth/errors.ts';
import { errorText } from '../errorText.ts';
import { commandIds, type CommandId } from '../ids.ts';
import { t, userLanguage } from '../localize.ts';
import { type DetailsPage, detailsHtml } from './detailsHtml.ts';
import { type DetailsAction, type HostMessage, pageMessageSchema } from './detailsMessages.ts';
import { detailsModel } from './detailsModel.ts';
import { lastErrorFix } from './lastErrorFix.ts';

/** A page loads nothing. */
export const PAGE_OPTIONS = { enableScripts: true, localResourceRoots: [] } as const;

const TICK_MS = 30_000;
/** While something counts seconds. */
const FAST_TICK_MS = 1000;

/** What a panel needs of the rest of the extension. */
export interface DetailsPanelParts {
  readonly service: ConnectionService;
  readonly role: Pick<WindowRole, 'state' | 'onDidChange'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly extensionUri: vscode.Uri;
  /** What each page is made of; rejects when the extension's own files cannot be read. */
  readonly pageFiles: () => Promise<PageFiles>;
}

/** The same for all pages. */
export type PageFiles = Omit<DetailsPage, 'nonce'>;

/** Shows one connection in a panel, and keeps it current while it can be seen. Closes it when the connection is gone. */
export class DetailsPanel implements vscode.Disposable {
  readonly #panel: vscode.WebviewPanel;
  readonly #id: ConnectionId;
  readonly #parts: DetailsPanelParts;
  readonly #subscriptions: Disposable[] = [];
  #trace: AuthorizationTrace | undefined;
  #isReading = false;
  #isOutdated = false;
  /** Whether a page has said that it can draw; a later one of the same panel gets what was sent before it could. */
  #isReady = false;
  #sent = '';
  #tick: Disposable | undefined;
  #isDisposed = false;

  /**
   * @param panel new, or given back by the editor after a restart
   * @param onDispose called once, when the panel is closed
   */
  constructor(panel: vscode.WebviewPanel, id: ConnectionId, parts: DetailsPanelParts, onDispose: () => void) {
    this.#panel = panel;
    this.#id = id;
    this.#parts = parts;
    const { extensionUri, role, service } = parts;
    this.#subscriptions.push(
      panel.onDidDispose(() => {
        this.release();
        onDispose();
      }),
      panel.onDidChangeViewState(() => this.#onViewState()),
      panel.webview.onDidReceiveMessage((message: unknown) => this.#onMessage(message)),
      service.onDidChangeConnection(({ connection }) => {
        if (connection.id === id) this.#refresh();
      }),
      role.onDidChange(() => this.#refresh()),
    );
    const uri = (...path: string[]) => vscode.Uri.joinPath(extensionUri, ...path);
    panel.iconPath = { light: uri('media', 'details-light.svg'), dark: uri('media', 'details-dark.svg') };
    panel.webview.options = PAGE_OPTIONS;
    void this.#load(); // it never rejects
    this.#refresh();
  }

  /** Brings the panel to the front. */
  reveal(): void {
    this.#panel.reveal();
  }

  /** Closes the panel. */
  dispose(): void {
    this.release();
    this.#panel.dispose();
  }

  /** Stops all that keeps it up to date, and leaves the panel as it is. */
  release(): void {
    this.#isDisposed = true;
    this.#tick?.dispose();
    for (const subscription of this.#subscriptions.splice(0)) subscription.dispose();
  }

  async #load(): Promise<void> {
    const { log, pageFiles } = this.#parts;
    try {
      const files = await pageFiles();
      if (this.#isDisposed) return;
      this.#panel.webview.html = detailsHtml({ ...files, nonce: randomBytes(16).toString('base64url') });
    } catch (error) {
      log.error(`The page of the details view could not be made: ${describeError(error)}`);
      if (!this.#isDisposed) this.dispose();
    }
  }

  #onViewState(): void {
    // A page that is hidden is mostly thrown away by the editor, and the next one says that it is ready; but a panel may
    // be told hidden and shown again with its page kept, which then says nothing more. It is told all at any rate.
    this.#sent = '';
    this.#update();
  }

  #onMessage(message: unknown): void {
    const { output, success } = safeParse(pageMessageSchema, message);
    if (!success) {
      this.#parts.log.warn('The details view said something that is not understood.');
      return;
    }
    if (output.type === 'ready') {
      this.#isReady = true;
      this.#sent = '';
      this.#refresh();
    } else {
      void this.#run(output.action); // a command tells by itself what goes wrong
    }
  }

  async #run(action: DetailsAction): Promise<void> {
    const connection = this.#parts.service.get(this.#id);
    if (connection === undefined) return;
    const fix = action === 'fix' ? lastErrorFix(connection)?.call : undefined;
    const { args, command } = fix ?? { command: ACTION_COMMANDS[action], args: [this.#id] };
    await vscode.commands.executeCommand(command, ...args);
  }

  /** Something changed: what is drawn from memory is drawn at once, and the steps once they are read. */
  #refresh(): void {
    this.#update();
    if (this.#isDisposed) return;
    this.#isOutdated = true;
    void this.#readTrace(); // it never rejects
  }

  async #readTrace(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isOutdated && !this.#isDisposed) {
      this.#isOutdated = false;
      try {
        this.#trace = await this.#parts.service.trace(this.#id);
        this.#update();
      } catch (error) {
        // The next change asks again.
        this.#parts.log.warn(`The steps of ${this.#id} could not be read: ${describeError(error)}`);
      }
    }
    this.#isReading = false;
  }

  #update(): void {
    if (this.#isDisposed) return;
    const { clock, role, service } = this.#parts;
    const connection = service.get(this.#id);
    if (connection === undefined && isLoaded(role.state)) {
      this.dispose();
      return;
    }
    const title = plainText(connection?.name) ?? t('Connection');
    if (connection !== undefined && this.#panel.title !== title) this.#panel.title = title;
    this.#tick?.dispose();
    this.#tick = undefined;
    if (!this.#panel.visible || !this.#isReady) return;
    this.#send(connection);
    const countsSeconds = connection?.state.type === 'unreachable' || connection?.state.type === 'authorizing';
    this.#tick = clock.after(countsSeconds ? FAST_TICK_MS : TICK_MS, () => {
      if (connection?.state.type === 'authorizing') this.#refresh();
      else this.#update();
    });
  }

  #send(connection: Connection | undefined): void {
    const { clock, role, service } = this.#parts;
    const id = this.#id;
    const page = { connectionId: id, language: userLanguage(), title: t('Connection details') };
    const message: HostMessage =
      connection === undefined
        ? { ...page, type: 'wait', text: waitText(role.state) }
        : {
            ...page,
            type: 'show',
            details: detailsModel({
              connection,
              activity: service.activity(id),
              trace: this.#trace,
              device: service.deviceAuthorization(id),
              now: clock.now(),
            }),
          };
    const text = JSON.stringify(message);
    if (text === this.#sent) return;
    this.#sent = text;
    // A page that is going away does not take it; the next one asks anew.
    void this.#panel.webview.postMessage(message);
  }
}

const ACTION_COMMANDS: Readonly<Record<DetailsAction, CommandId>> = {
  // What helped against an error that has gone meanwhile.
  fix: commandIds.reauthorize,
  signIn: commandIds.signIn,
  reauthorize: commandIds.reauthorize,
  refreshToken: commandIds.refreshToken,
  chooseScopes: commandIds.chooseScopes,
  copySignInUrl: commandIds.copySignInUrl,
  cancelSignIn: commandIds.cancelSignIn,
  diagnose: commandIds.diagnoseConnection,
  copyGatewayUrl: commandIds.copyGatewayUrl,
  export: commandIds.exportDiagnostics,
};

/** Whether the list of connections is whole, so that one which is not in it is gone. */
function isLoaded(state: RoleState): boolean {
  return state.type === 'owner' || state.type === 'idle' || (state.type === 'guest' && state.isConnected);
}

function waitText(state: RoleState): string {
  if (state.type !== 'blocked') return t('Loading the connections…');
  const { message, nextStep } = errorText(state.error);
  return `${message} ${nextStep}`;
}
