import * as vscode from 'vscode';
import { type AuthorizationStep, type Connection, type ConnectionId, currentGrant } from '../connections/connection.ts';
import type { AuthorizationOutcome, ConnectionService, DevicePrompt } from '../connections/connectionService.ts';
import { isKeychainError } from '../connections/errors.ts';
import { newScopesText, scopeList } from './causeText.ts';
import { deviceText } from './deviceText.ts';
import { type CommandId, commandIds, viewIds } from './ids.ts';
import { t } from './localize.ts';
import { showError } from './notifications.ts';
import { openBrowser } from './openBrowser.ts';
import { scopeChanges, scopeChangesText } from './scopeChoices.ts';
import { returnHere, waitingText } from './remote/signInReturn.ts';
import { commandLink } from './statusText.ts';
import { stepText } from './treeText.ts';
import { withoutLinks } from './untrustedText.ts';

/** What ends within this time, and without the browser, gets no notification of its progress. */
export const QUIET_MS = 1500;

interface RunningSignIn {
  readonly controller: AbortController;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

/** Runs sign-ins and shows how they go: in a notification that can be cancelled, and in the view. */
export class SignIn implements vscode.Disposable {
  readonly #service: ConnectionService;
  readonly #reveal: (id: ConnectionId) => Promise<void>;
  readonly #running = new Map<ConnectionId, RunningSignIn>();
  #isDisposed = false;

  /** @param reveal shows the row of a connection */
  constructor(service: ConnectionService, reveal: (id: ConnectionId) => Promise<void>) {
    this.#service = service;
    this.#reveal = reveal;
  }

  /** Ends no sign-in: one that runs here ends with the manager, one that another window runs goes on there. */
  dispose(): void {
    this.#isDisposed = true;
  }

  /**
   * Signs in to `connection` and tells how it went; never throws. While a sign-in waits for the person, whichever window
   * began it, the page is opened again.
   * @param scopes asks for exactly these (P23): one that waits for others ends first
   */
  async run(connection: Connection, scopes?: readonly string[]): Promise<void> {
    const { id } = connection;
    if (scopes !== undefined) await this.stop(id);
    // The person has closed the tab, perhaps.
    const device = this.#service.deviceAuthorization(id);
    const url = this.#service.authorizationUrl(id) ?? device?.verificationUriComplete ?? device?.verificationUri;
    if (url !== undefined) await openBrowser(url);
    if (this.#running.has(id)) return;
    const controller = new AbortController();
    const ended = this.#signIn(connection, controller, scopes).finally(() => this.#running.delete(id));
    this.#running.set(id, { controller, ended });
    await ended;
  }

  /** Cancels a sign-in, if one runs in whatever window, and waits for its end. */
  async stop(id: ConnectionId): Promise<void> {
    const running = this.#running.get(id);
    running?.controller.abort();
    await running?.ended;
    await this.#service.cancelAuthorization(id);
  }

  async #signIn(
    connection: Connection,
    controller: AbortController,
    scopes: readonly string[] | undefined,
  ): Promise<void> {
    const { id } = connection;
    try {
      const outcome = await this.#withProgress(connection, controller, scopes);
      if (outcome.type === 'authorized') {
        const { lastError } = outcome.connection;
        vscode.window.setStatusBarMessage(connectedText(connection, outcome.connection, scopes), 5000);
        // What is wrong with the keychain is told for all connections.
        if (lastError !== undefined && !isKeychainError(lastError))
          void showError(lastError, { connection: outcome.connection });
        await this.#reveal(id).catch(() => undefined); // the view may just be closing
      }
    } catch (error) {
      if (this.#isDisposed) return;
      // Not awaited: the message may stay open for ever, and the sign-in is over.
      void showError(error, {
        connection: this.#service.get(id) ?? connection,
        tryAgain: async () => this.run(this.#service.get(id) ?? connection, scopes),
      });
    }
  }

  /** Signs in with progress in the view; the notification comes only when there is something to wait for. */
  async #withProgress(
    before: Connection,
    controller: AbortController,
    scopes: readonly string[] | undefined,
  ): Promise<AuthorizationOutcome> {
    const { id, name } = before;
    const outcome = this.#service.authorize(id, { signal: controller.signal, ...(scopes !== undefined && { scopes }) });
    void vscode.window.withProgress({ location: { viewId: viewIds.servers } }, async () => settled(outcome)); // only shown
    const tellSteps = (tell: (connection: Connection) => void) =>
      this.#service.onDidChangeConnection(({ connection }) => {
        if (connection.id === id) tell(connection);
      });
    const isWorthTelling = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, QUIET_MS);
      const steps = tellSteps(({ state }) => {
        if (state.type === 'authorizing' && isWaiting(state.step)) resolve();
      });
      void settled(outcome).finally(() => {
        clearTimeout(timer);
        steps.dispose();
      });
    });
    await Promise.race([isWorthTelling, settled(outcome)]);
    if (this.#service.get(id)?.state.type !== 'authorizing') return outcome;
    const title = t('Signing in to {0}', withoutLinks(name));
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, cancellation) => {
        const report = (connection: Connection) => {
          const asked = scopes === undefined ? newScopesText(connection) : scopeChangesText(before, scopes);
          progress.report({ message: progressText(connection, this.#service.deviceAuthorization(id), asked) });
        };
        const current = this.#service.get(id);
        if (current !== undefined) report(current);
        const subscriptions = [cancellation.onCancellationRequested(() => controller.abort()), tellSteps(report)];
        try {
          return await outcome;
        } finally {
          for (const subscription of subscriptions) subscription.dispose();
        }
      },
    );
  }
}

/** Resolves when `outcome` is there, also when it failed. */
export async function settled(outcome: Promise<unknown>): Promise<void> {
  await outcome.catch(() => undefined);
}

/** Whether a sign-in is the person's to go on with. */
function isWaiting(step: AuthorizationStep): boolean {
  return step === 'waitingForBrowser' || step === 'waitingForDevice';
}

/** What is said at the end; what the person has unticked and lost is named. */
function connectedText(before: Connection, now: Connection, scopes: readonly string[] | undefined): string {
  const name = withoutLinks(now.name);
  const { dropped } = scopeChanges(before, currentGrant(now)?.granted ?? []);
  if (scopes === undefined || dropped.length === 0) return t('$(pass) Connected to {0}', name);
  return t('$(pass) Connected to {0}, without {1}', name, scopeList(dropped));
}

/**
 * What the notification says. A progress notification has no buttons but *Cancel*, so the ways on are links.
 * @param asked what is asked for anew and why, fit for a message
 */
function progressText(
  { id, settings, state }: Connection,
  device: DevicePrompt | undefined,
  asked: string | undefined,
): string {
  if (state.type !== 'authorizing') return '';
  const link = (label: string, command: CommandId) => `[${label}](${commandLink(command, id)})`;
  if (device !== undefined) {
    const copy = link(t('Copy Code'), commandIds.copyDeviceCode);
    return withAsked(`${deviceText(device)}.`, `${copy} · ${link(t('Open Page'), commandIds.openDevicePage)}`, asked);
  }
  if (state.step !== 'waitingForBrowser') return stepText(state.step);
  const copy = link(t('Copy URL'), commandIds.copySignInUrl);
  return withAsked(
    waitingText(returnHere(settings.redirect)),
    `${copy} · ${link(t('Paste callback URL'), commandIds.pasteCallbackUrl)}`,
    asked,
  );
}

function withAsked(text: string, links: string, asked: string | undefined): string {
  return [text, ...(asked === undefined ? [] : [`${asked}.`]), links].join(' ');
}
