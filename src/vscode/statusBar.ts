import * as vscode from 'vscode';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import type { ChangeBatches } from './changeBatches.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';
import { hoverCommands, statusBarText, type StatusBarText, statusHover } from './statusText.ts';
import type { Ticker } from './ticker.ts';

const TICK_MS = 30_000;

export interface StatusBarParts {
  readonly service: Pick<ConnectionService, 'connections'>;
  readonly batches: ChangeBatches;
  readonly ticker: Ticker;
  readonly clock: Clock;
}

/** The one item in the status bar. It is hidden while there are no connections, and ticks only while shown. */
export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  readonly #parts: StatusBarParts;
  readonly #subscriptions: readonly Disposable[];
  /** What is shown; undefined while it is hidden. */
  #shown: { readonly text: StatusBarText; readonly hover: string } | undefined;

  constructor(parts: StatusBarParts) {
    this.#parts = parts;
    this.#item = vscode.window.createStatusBarItem('status', vscode.StatusBarAlignment.Right, 50);
    this.#item.name = t('MCP Connections');
    this.#item.command = commandIds.showStatus;
    this.#subscriptions = [
      parts.batches.onDidChange(() => this.update()),
      parts.ticker.add({
        waitMs: () => (this.#shown === undefined ? undefined : TICK_MS),
        tick: () => this.update(),
      }),
      this.#item,
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Draws what has changed of the item. */
  update(): void {
    const { clock, service, ticker } = this.#parts;
    const { connections } = service;
    const now = clock.now();
    const text = statusBarText(connections, now);
    if (text === undefined) {
      this.#shown = undefined;
      this.#item.hide();
      return;
    }
    const hover = statusHover(connections, now);
    const before = this.#shown;
    this.#shown = { text, hover };
    if (before?.text.text !== text.text || before.text.spoken !== text.spoken || before.text.level !== text.level) {
      this.#item.text = text.text;
      this.#item.accessibilityInformation = { label: text.spoken, role: 'button' };
      const { level } = text;
      this.#item.backgroundColor =
        level === 'attention' || level === 'error'
          ? new vscode.ThemeColor(`statusBarItem.${BACKGROUNDS[level]}`)
          : undefined;
    }
    // One that is open would be drawn anew under the mouse.
    if (before?.hover !== hover) this.#item.tooltip = trusted(hover);
    if (before !== undefined) return;
    this.#item.show();
    ticker.look();
  }
}

const BACKGROUNDS = { attention: 'warningBackground', error: 'errorBackground' } as const;

function trusted(hover: string): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString(hover, true);
  tooltip.isTrusted = { enabledCommands: hoverCommands };
  return tooltip;
}
