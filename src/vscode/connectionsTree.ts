import * as vscode from 'vscode';
import type { ActivityEntry } from '../connections/activity.ts';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { ConnectionChange, ConnectionService } from '../connections/connectionService.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type { LocalAccess } from '../gateway/localAccess.ts';
import { accessesOf, accessName, accessText, accessTooltipLines, usedByText } from './accessText.ts';
import { tooltipLines } from './connectionTooltip.ts';
import { viewIds } from './ids.ts';
import { signsInText } from './kindText.ts';
import type { RowText, TooltipLine } from './rowText.ts';
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
} from './treeText.ts';
import { markdownText } from './untrustedText.ts';

const TICK_MS = 30_000;
/** While a row counts seconds down. */
const FAST_TICK_MS = 1000;
const SHOWN_EVENTS = 20;

/** The rows below a connection. */
const PARTS = ['scopes', 'expires', 'signIn', 'authorizationServer', 'usedBy', 'activity'] as const;
type Part = (typeof PARTS)[number];

/** A row. The same object stands for the same row as long as it is there, as VS Code needs it. */
export type TreeNode =
  | { readonly kind: 'connection'; readonly key: string; readonly connectionId: ConnectionId }
  | {
      readonly kind: Part;
      readonly key: string;
      readonly connectionId: ConnectionId;
    }
  | { readonly kind: 'access'; readonly key: string; readonly connectionId: ConnectionId; readonly accessId: string }
  | { readonly kind: 'scope'; readonly key: string; readonly connectionId: ConnectionId; readonly row: ScopeRow }
  | {
      readonly kind: 'event';
      readonly key: string;
      readonly connectionId: ConnectionId;
      readonly entry: ActivityEntry;
    };

/** What the tree asks of the gateway. */
export type TreeAccesses = Pick<GatewayService, 'accesses' | 'onDidChangeAccesses'>;

/** The tree *Servers*: one row per connection, below it what was granted and until when, and who uses it. */
export class ConnectionsTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly view: vscode.TreeView<TreeNode>;
  readonly onDidChangeTreeData: vscode.Event<TreeNode | TreeNode[] | undefined>;
  readonly #service: ConnectionService;
  readonly #gateway: TreeAccesses;
  readonly #clock: Clock;
  readonly #changes = new vscode.EventEmitter<TreeNode | TreeNode[] | undefined>();
  /** The connections' rows, so that one stays the same object. */
  readonly #roots = new Map<ConnectionId, TreeNode>();
  /** What each row that was asked for shows, to find those that a tick changes. */
  readonly #shown = new Map<string, { readonly node: TreeNode; readonly text: string }>();
  readonly #subscriptions: Disposable[] = [];
  #tick: Disposable | undefined;

  constructor(service: ConnectionService, gateway: TreeAccesses, clock: Clock) {
    this.#service = service;
    this.#gateway = gateway;
    this.#clock = clock;
    this.onDidChangeTreeData = this.#changes.event;
    this.view = vscode.window.createTreeView(viewIds.servers, { treeDataProvider: this, showCollapseAll: true });
    this.#subscriptions.push(
      this.#changes,
      this.view,
      this.view.onDidChangeVisibility(() => this.#onVisibility()),
      service.onDidChangeConnection((change) => this.#onChange(change)),
      gateway.onDidChangeAccesses(() => this.#onAccesses()),
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
        return partsOf(connection).map((kind) => ({ kind, key: this.#partKey(key, kind, connectionId), connectionId }));
      case 'scopes':
        return scopeRows(connection).map((row) => ({ kind: 'scope', key: `${key}/${row.scope}`, connectionId, row }));
      case 'usedBy':
        return this.#accesses(connectionId).map(({ id }) => ({
          kind: 'access',
          key: `${key}/${id}`,
          connectionId,
          accessId: id,
        }));
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
    this.#shown.set(node.key, { node, text: this.#signature(node, text) });
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
    item.tooltip = this.#tooltip(node) ?? new vscode.MarkdownString(markdownText(this.#text(node).spoken));
    return item;
  }

  #tooltip(node: TreeNode): vscode.MarkdownString | undefined {
    const now = this.#clock.now();
    const connection = this.#service.get(node.connectionId);
    if (node.kind === 'connection' && connection !== undefined) {
      const device = this.#service.deviceAuthorization(connection.id);
      return tableTooltip(connection.name, tooltipLines(connection, now, { device, accesses: this.#gateway.accesses }));
    }
    const access = node.kind === 'access' ? this.#access(node.accessId) : undefined;
    return access === undefined ? undefined : tableTooltip(accessName(access), accessTooltipLines(access, now));
  }

  /** The editor leaves a row that gets its first child closed, so *Used by* is another row then. */
  #partKey(parent: string, part: Part, connectionId: ConnectionId): string {
    const isEmpty = part === 'usedBy' && this.#accesses(connectionId).length === 0;
    return `${parent}/${isEmpty ? 'usedByNobody' : part}`;
  }

  #accesses(connection: ConnectionId): readonly LocalAccess[] {
    return accessesOf(this.#gateway.accesses, connection);
  }

  #access(id: string): LocalAccess | undefined {
    return this.#gateway.accesses.find((access) => access.id === id);
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
      case 'usedBy':
        return this.#accesses(node.connectionId).length === 0 ? None : Expanded;
      default:
        return None;
    }
  }

  #text(node: TreeNode): RowText {
    const connection = this.#service.get(node.connectionId);
    const now = this.#clock.now();
    if (connection === undefined) return NO_TEXT;
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
      case 'usedBy':
        return usedByText(this.#accesses(node.connectionId), now);
      case 'access': {
        const access = this.#access(node.accessId);
        return access === undefined ? NO_TEXT : accessText(access, now);
      }
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

  /** Uses come by the hundred, and change what is read seldom: only the rows that read otherwise are drawn anew. */
  #onAccesses(): void {
    this.#redrawWhatChanged();
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
    this.#redrawWhatChanged();
    this.#schedule();
  }

  /** Keeps one timer going while the view is there to be seen and has a row in it. */
  #schedule(): void {
    if (this.#tick !== undefined || !this.view.visible || this.#shown.size === 0) return;
    const countsSeconds = this.#service.connections.some(({ state }) => state.type === 'unreachable');
    this.#tick = this.#clock.after(countsSeconds ? FAST_TICK_MS : TICK_MS, () => {
      this.#tick = undefined;
      this.#redrawWhatChanged();
      this.#schedule();
    });
  }

  /** All that is drawn of a row, and which rows are below it. */
  #signature(node: TreeNode, text: RowText): string {
    const below = node.kind === 'usedBy' ? this.#accesses(node.connectionId).map(({ id }) => id) : [];
    return [text.label, text.description, text.icon?.id, text.icon?.color, text.contextValue, ...below].join('\n');
  }

  #redrawWhatChanged(): void {
    const changed = Array.from(this.#shown.values())
      .filter(({ node, text }) => this.#signature(node, this.#text(node)) !== text)
      .map(({ node }) => {
        const { key, kind, connectionId } = node;
        const isAnother = kind === 'usedBy' && this.#partKey(connectionId, kind, connectionId) !== key;
        return isAnother ? this.#root(connectionId) : node;
      });
    if (changed.length > 0) this.#changes.fire(changed);
  }
}

/** Of a row that was just removed: VS Code may still ask for it. */
const NO_TEXT: RowText = { label: '', description: '', contextValue: '', spoken: '' };

/** The rows below a connection that have something to say. */
function partsOf(connection: Connection): readonly Part[] {
  // Who gave a token that the person brought, and for what, nobody knows.
  if (connection.kind === 'static_token') return ['expires', 'signIn', 'usedBy', 'activity'];
  return PARTS.filter((part) => part !== 'signIn' || signsInText(connection) !== undefined);
}

function tableTooltip(title: string, lines: readonly TooltipLine[]): vscode.MarkdownString {
  const rows = lines.map(({ label, value }) => `| ${markdownText(label)} | ${markdownText(value)} |`);
  // Markdown wants a table to have a heading: the name of what the row is about.
  return new vscode.MarkdownString([`| ${markdownText(title)} | |`, '|:--|:--|', ...rows].join('\n'));
}
