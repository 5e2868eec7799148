import * as vscode from 'vscode';
import type { ActivityEntry } from '../connections/activity.ts';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { ConnectionChange, ConnectionService, DevicePrompt } from '../connections/connectionService.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import { viewIds } from './ids.ts';
import { signsInText } from './kindText.ts';
import type { RowText } from './rowText.ts';
import { scopeRows, type ScopeRow } from './scopeRows.ts';
import {
  activityEntryText,
  activityText,
  authorizationServerText,
  connectionText,
  expiresText,
  scopesText,
  scopeText,
  signInText,
  tooltipLines,
} from './treeText.ts';
import { markdownText } from './untrustedText.ts';

const TICK_MS = 30_000;
/** While a row counts seconds down. */
const FAST_TICK_MS = 1000;
const SHOWN_EVENTS = 20;

/** The rows below a connection. */
const PARTS = ['scopes', 'expires', 'signIn', 'authorizationServer', 'activity'] as const;
type Part = (typeof PARTS)[number];

/** A row. The same object stands for the same row as long as it is there, as VS Code needs it. */
export type TreeNode =
  | { readonly kind: 'connection'; readonly key: string; readonly connectionId: ConnectionId }
  | {
      readonly kind: Part;
      readonly key: string;
      readonly connectionId: ConnectionId;
    }
  | { readonly kind: 'scope'; readonly key: string; readonly connectionId: ConnectionId; readonly row: ScopeRow }
  | {
      readonly kind: 'event';
      readonly key: string;
      readonly connectionId: ConnectionId;
      readonly entry: ActivityEntry;
    };

/** The tree *Servers*: one row per connection, below it what was granted and until when. */
export class ConnectionsTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly view: vscode.TreeView<TreeNode>;
  readonly onDidChangeTreeData: vscode.Event<TreeNode | TreeNode[] | undefined>;
  readonly #service: ConnectionService;
  readonly #clock: Clock;
  readonly #changes = new vscode.EventEmitter<TreeNode | TreeNode[] | undefined>();
  /** The connections' rows, so that one stays the same object. */
  readonly #roots = new Map<ConnectionId, TreeNode>();
  /** What each row that was asked for shows, to find those that a tick changes. */
  readonly #shown = new Map<string, { readonly node: TreeNode; readonly text: string }>();
  readonly #subscriptions: Disposable[] = [];
  #tick: Disposable | undefined;

  constructor(service: ConnectionService, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.onDidChangeTreeData = this.#changes.event;
    this.view = vscode.window.createTreeView(viewIds.servers, { treeDataProvider: this, showCollapseAll: true });
    this.#subscriptions.push(
      this.#changes,
      this.view,
      this.view.onDidChangeVisibility(() => this.#onVisibility()),
      service.onDidChangeConnection((change) => this.#onChange(change)),
    );
  }

  dispose(): void {
    this.#stopTick();
    for (const subscription of this.#subscriptions.splice(0)) subscription.dispose();
  }

  /** Draws the whole tree anew: after the connections were loaded. */
  reload(): void {
    this.#shown.clear();
    this.#changes.fire(undefined);
    this.#schedule();
  }

  /** Shows the row of a connection, without taking the focus. */
  async reveal(id: ConnectionId): Promise<void> {
    if (!this.view.visible || this.#service.get(id) === undefined) return;
    // Not selected: a selected row shows its buttons in the place of its end.
    await this.view.reveal(this.#root(id), { select: false, focus: false, expand: true });
  }

  getChildren(node?: TreeNode): TreeNode[] {
    if (node === undefined) return this.#service.connections.map(({ id }) => this.#root(id));
    const connection = this.#service.get(node.connectionId);
    if (connection === undefined) return [];
    const { key, connectionId } = node;
    this.#forget((shownKey) => shownKey.startsWith(`${key}/`));
    switch (node.kind) {
      case 'connection':
        return partsOf(connection).map((kind) => ({ kind, key: `${key}/${kind}`, connectionId }));
      case 'scopes':
        return scopeRows(connection).map((row) => ({ kind: 'scope', key: `${key}/${row.scope}`, connectionId, row }));
      case 'activity':
        return this.#service
          .activity(connectionId)
          .slice(-SHOWN_EVENTS)
          .toReversed()
          .map((entry, index) => ({ kind: 'event', key: `${key}/${entry.at}/${index}`, connectionId, entry }));
      default:
        return [];
    }
  }

  getParent(node: TreeNode): TreeNode | undefined {
    return node.kind === 'connection' ? undefined : this.#root(node.connectionId);
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const text = this.#text(node);
    this.#shown.set(node.key, { node, text: signature(text) });
    this.#schedule();
    const item = new vscode.TreeItem(text.label, this.#collapsibleState(node));
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
    const connection = this.#service.get(node.connectionId);
    item.tooltip =
      node.kind === 'connection' && connection !== undefined
        ? connectionTooltip(connection, this.#clock.now(), this.#service.deviceAuthorization(connection.id))
        : new vscode.MarkdownString(markdownText(this.#text(node).spoken));
    return item;
  }

  #root(id: ConnectionId): TreeNode {
    let node = this.#roots.get(id);
    if (node === undefined) {
      node = { kind: 'connection', key: id, connectionId: id };
      this.#roots.set(id, node);
    }
    return node;
  }

  #collapsibleState(node: TreeNode): vscode.TreeItemCollapsibleState {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    switch (node.kind) {
      case 'connection':
      case 'activity':
        return Collapsed;
      case 'scopes': {
        const connection = this.#service.get(node.connectionId);
        return connection === undefined || scopeRows(connection).length === 0 ? None : Expanded;
      }
      default:
        return None;
    }
  }

  #text(node: TreeNode): RowText {
    const connection = this.#service.get(node.connectionId);
    const now = this.#clock.now();
    // VS Code may still ask for a row that was just removed.
    if (connection === undefined) return { label: '', description: '', contextValue: '', spoken: '' };
    switch (node.kind) {
      case 'connection':
        return connectionText(connection, now, this.#service.deviceAuthorization(node.connectionId));
      case 'scopes':
        return scopesText(connection);
      case 'scope':
        return scopeText(node.row);
      case 'expires':
        return expiresText(connection, now);
      case 'signIn':
        return signInText(connection);
      case 'authorizationServer':
        return authorizationServerText(connection);
      case 'activity':
        return activityText(this.#service.activity(node.connectionId), now);
      case 'event':
        return activityEntryText(node.entry, now);
    }
  }

  #onChange(change: ConnectionChange): void {
    const { id } = change.connection;
    if (change.type === 'changed') {
      this.#changes.fire(this.#root(id));
    } else {
      if (change.type === 'removed') {
        this.#roots.delete(id);
        this.#forget((_key, node) => node.connectionId === id);
      }
      this.#changes.fire(undefined);
    }
    // The new state may count seconds.
    this.#stopTick();
    this.#schedule();
  }

  #forget(isGone: (key: string, node: TreeNode) => boolean): void {
    for (const [key, { node }] of this.#shown) if (isGone(key, node)) this.#shown.delete(key);
  }

  #stopTick(): void {
    this.#tick?.dispose();
    this.#tick = undefined;
  }

  #onVisibility(): void {
    this.#stopTick();
    if (!this.view.visible) return;
    this.#redrawWhatTimeChanged();
    this.#schedule();
  }

  /** Keeps one timer going while the view is there to be seen and has a row in it. */
  #schedule(): void {
    if (this.#tick !== undefined || !this.view.visible || this.#shown.size === 0) return;
    const countsSeconds = this.#service.connections.some(({ state }) => state.type === 'unreachable');
    this.#tick = this.#clock.after(countsSeconds ? FAST_TICK_MS : TICK_MS, () => {
      this.#tick = undefined;
      this.#redrawWhatTimeChanged();
      this.#schedule();
    });
  }

  #redrawWhatTimeChanged(): void {
    const changed = Array.from(this.#shown.values())
      .filter(({ node, text }) => signature(this.#text(node)) !== text)
      .map(({ node }) => node);
    if (changed.length > 0) this.#changes.fire(changed);
  }
}

/** The rows below a connection that have something to say. */
function partsOf(connection: Connection): readonly Part[] {
  // Who gave a token that the person brought, and for what, nobody knows.
  if (connection.kind === 'static_token') return ['expires', 'signIn', 'activity'];
  return PARTS.filter((part) => part !== 'signIn' || signsInText(connection) !== undefined);
}

function signature(text: RowText): string {
  return [text.label, text.description, text.icon?.id, text.icon?.color, text.contextValue].join('\n');
}

function connectionTooltip(connection: Connection, now: number, device?: DevicePrompt): vscode.MarkdownString {
  const lines = tooltipLines(connection, now, device).map(
    ({ label, value }) => `| ${markdownText(label)} | ${markdownText(value)} |`,
  );
  // Markdown wants a table to have a heading: the name of the connection.
  return new vscode.MarkdownString([`| ${markdownText(connection.name)} | |`, '|:--|:--|', ...lines].join('\n'));
}
