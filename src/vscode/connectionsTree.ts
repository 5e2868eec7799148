import * as vscode from 'vscode';
import type { ConnectionId } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type { ChangeBatch, ChangeBatches } from './changeBatches.ts';
import { viewIds } from './ids.ts';
import type { Ticker } from './ticker.ts';
import { type ShownRow, TreeModel, type TooltipTable, type TreeNode } from './treeModel.ts';
import { markdownText } from './untrustedText.ts';

const TICK_MS = 30_000;
/** While a row counts seconds down. */
const FAST_TICK_MS = 1000;
/** Uses come by the hundred, and change what is read seldom. */
const USES_MS = 500;

/** What the tree asks of the gateway. */
export type TreeAccesses = Pick<GatewayService, 'accesses' | 'onDidChangeAccesses'>;

export interface ConnectionsTreeParts {
  readonly service: ConnectionService;
  readonly gateway: TreeAccesses;
  readonly batches: ChangeBatches;
  readonly ticker: Ticker;
  readonly clock: Clock;
}

/** The tree *Servers*: one row per connection, below it what was granted and until when, and who uses it. */
export class ConnectionsTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly view: vscode.TreeView<TreeNode>;
  readonly onDidChangeTreeData: vscode.Event<TreeNode | TreeNode[] | undefined>;
  readonly #parts: ConnectionsTreeParts;
  readonly #model: TreeModel;
  readonly #changes = new vscode.EventEmitter<TreeNode | TreeNode[] | undefined>();
  readonly #subscriptions: Disposable[] = [];
  /** When all rows were looked at last, in ms since the epoch. */
  #lookedAt = -Infinity;
  #hasNewUses = false;

  constructor(parts: ConnectionsTreeParts) {
    const { batches, gateway, ticker } = parts;
    this.#parts = parts;
    this.#model = new TreeModel(parts);
    this.onDidChangeTreeData = this.#changes.event;
    this.view = vscode.window.createTreeView(viewIds.servers, { treeDataProvider: this, showCollapseAll: true });
    this.#subscriptions.push(
      this.#changes,
      this.view,
      this.view.onDidChangeVisibility(() => this.#onVisibility()),
      batches.onDidChange((batch) => this.#onChanges(batch)),
      gateway.onDidChangeAccesses(() => this.#onAccesses()),
      ticker.add({ waitMs: () => this.#waitMs(), tick: () => this.#tick() }),
    );
  }

  dispose(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.dispose();
  }

  /** Draws the whole tree anew: after the connections were loaded. */
  reload(): void {
    this.#model.clear();
    this.#changes.fire(undefined);
  }

  /** Shows the row of a connection, without taking the focus. */
  async reveal(id: ConnectionId): Promise<void> {
    if (!this.view.visible || this.#parts.service.get(id) === undefined) return;
    // Not selected: a selected row shows its buttons in the place of its end.
    await this.view.reveal(this.#model.root(id), { select: false, focus: false, expand: true });
  }

  getChildren(node?: TreeNode): TreeNode[] {
    return this.#model.children(node);
  }

  getParent(node: TreeNode): TreeNode | undefined {
    return node.kind === 'connection' ? undefined : this.#model.root(node.connectionId);
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const wasDrawn = this.#model.isDrawn;
    const { children, text } = this.#model.draw(node);
    if (!wasDrawn) this.#parts.ticker.look();
    const item = new vscode.TreeItem(text.label, COLLAPSIBLE[children]);
    item.id = node.key;
    item.description = text.description;
    item.contextValue = text.contextValue;
    item.accessibilityInformation = { label: text.spoken };
    if (text.icon !== undefined) {
      const color = text.icon.color === undefined ? undefined : new vscode.ThemeColor(text.icon.color);
      item.iconPath = new vscode.ThemeIcon(text.icon.id, color);
    }
    return item;
  }

  /** Makes the tooltip when somebody hovers, so that its times are those of then. */
  resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
    const tooltip = this.#model.tooltip(node);
    item.tooltip = typeof tooltip === 'string' ? new vscode.MarkdownString(markdownText(tooltip)) : asTable(tooltip);
    return item;
  }

  #onChanges(batch: ChangeBatch): void {
    const types = new Set(batch.values());
    for (const [id, type] of batch) if (type === 'removed') this.#model.forget(id);
    if (types.has('added') || types.has('removed')) this.#changes.fire(undefined);
    else this.#redraw(batch.keys());
  }

  #onAccesses(): void {
    this.#model.noteAccesses();
    if (this.#hasNewUses) return;
    this.#hasNewUses = true;
    this.#parts.ticker.look();
  }

  #onVisibility(): void {
    if (this.view.visible) this.#redraw();
    this.#parts.ticker.look();
  }

  /** Undefined while nobody sees the view, or nothing is in it. */
  #waitMs(): number | undefined {
    if (!this.view.visible || !this.#model.isDrawn) return undefined;
    if (this.#hasNewUses) return USES_MS;
    return this.#model.counting.size > 0 ? FAST_TICK_MS : TICK_MS;
  }

  #tick(): void {
    const isDue = this.#parts.clock.now() - this.#lookedAt >= TICK_MS;
    this.#redraw(isDue || this.#hasNewUses ? undefined : this.#model.counting);
  }

  /** Draws the rows anew that read otherwise than they were drawn: of all connections, or of these. */
  #redraw(ids?: Iterable<ConnectionId>): void {
    if (ids === undefined) {
      this.#lookedAt = this.#parts.clock.now();
      this.#hasNewUses = false;
    }
    const changed = this.#model.changed(ids);
    if (changed.length > 0) this.#changes.fire(changed);
  }
}

const COLLAPSIBLE: Readonly<Record<ShownRow['children'], vscode.TreeItemCollapsibleState>> = {
  none: vscode.TreeItemCollapsibleState.None,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  open: vscode.TreeItemCollapsibleState.Expanded,
};

function asTable({ lines, title }: TooltipTable): vscode.MarkdownString {
  // Spaces keep the columns apart, which the tooltip does not.
  const rows = lines.map(({ label, value }) => `| ${markdownText(label)}&nbsp;&nbsp; | ${markdownText(value)} |`);
  // Markdown wants a table to have a heading: the name of what the row is about.
  return new vscode.MarkdownString([`| ${markdownText(title)} | |`, '|:--|:--|', ...rows].join('\n'));
}
