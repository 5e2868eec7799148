import * as vscode from 'vscode';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';
import { hoverCommands, statusBarText, statusHover } from './statusText.ts';

const TICK_MS = 30_000;

/** The one item in the status bar. It is hidden while there are no connections, and ticks only while shown. */
export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  readonly #service: ConnectionService;
  readonly #clock: Clock;
  readonly #subscription: Disposable;
  #tick: Disposable | undefined;

  constructor(service: ConnectionService, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#item = vscode.window.createStatusBarItem('status', vscode.StatusBarAlignment.Right, 50);
    this.#item.name = t('MCP Connections');
    this.#item.command = commandIds.showStatus;
    this.#subscription = service.onDidChangeConnection(() => this.update());
  }

  dispose(): void {
    this.#tick?.dispose();
    this.#subscription.dispose();
    this.#item.dispose();
  }

  /** Draws the item anew. */
  update(): void {
    this.#tick?.dispose();
    this.#tick = undefined;
    const { connections } = this.#service;
    const now = this.#clock.now();
    const text = statusBarText(connections, now);
    if (text === undefined) {
      this.#item.hide();
      return;
    }
    this.#item.text = text.text;
    this.#item.accessibilityInformation = { label: text.spoken };
    this.#item.backgroundColor =
      text.level === 'ok' || text.level === 'offline'
        ? undefined
        : new vscode.ThemeColor(`statusBarItem.${BACKGROUNDS[text.level]}`);
    const hover = new vscode.MarkdownString(statusHover(connections, now), true);
    hover.isTrusted = { enabledCommands: hoverCommands };
    this.#item.tooltip = hover;
    this.#item.show();
    this.#tick = this.#clock.after(TICK_MS, () => this.update());
  }
}

const BACKGROUNDS = { attention: 'warningBackground', error: 'errorBackground' } as const;
