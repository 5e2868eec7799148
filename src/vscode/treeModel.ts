import type { ActivityEntry } from '../connections/activity.ts';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { Clock } from '../connections/ports.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type { LocalAccess } from '../gateway/localAccess.ts';
import { accessesOf, accessName, accessText, accessTooltipLines, toolsText, usedByText } from './accessText.ts';
import { causeText } from './causeText.ts';
import { demandLine, tooltipLines } from './connectionTooltip.ts';
import { signsInText } from './kindText.ts';
import { t } from './localize.ts';
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

const SHOWN_EVENTS = 20;

/** The rows below a connection. */
const PARTS = ['scopes', 'expires', 'signIn', 'authorizationServer', 'usedBy', 'activity'] as const;
type Part = (typeof PARTS)[number];

/** A row. The same object stands for the same row as long as it is there, as VS Code needs it. */
export type TreeNode =
  | { readonly kind: 'connection'; readonly key: string; readonly connectionId: ConnectionId }
  | { readonly kind: Part; readonly key: string; readonly connectionId: ConnectionId }
  | { readonly kind: 'access'; readonly key: string; readonly connectionId: ConnectionId; readonly accessId: string }
  | { readonly kind: 'scope'; readonly key: string; readonly connectionId: ConnectionId; readonly row: ScopeRow }
  | {
      readonly kind: 'event';
      readonly key: string;
      readonly connectionId: ConnectionId;
      readonly entry: ActivityEntry;
    };

/** A row as it is to be drawn. */
export interface ShownRow {
  readonly text: RowText;
  /** Whether it has rows below it, and shows them at first. */
  readonly children: 'none' | 'closed' | 'open';
}

/** What a tooltip says: a table under the name of what it is about. */
export interface TooltipTable {
  readonly title: string;
  readonly lines: readonly TooltipLine[];
}

export interface TreeModelParts {
  readonly service: Pick<ConnectionService, 'connections' | 'get' | 'activity' | 'deviceAuthorization'>;
  readonly gateway: Pick<GatewayService, 'accesses'>;
  readonly clock: Clock;
}

interface Drawn {
  readonly node: TreeNode;
  /** All that is seen of the row, and which rows are below it. */
  readonly signature: string;
}

/** Of a row that was just removed: VS Code may still ask for it. */
const NO_TEXT: RowText = { label: '', description: '', contextValue: '', spoken: '' };

/** The rows of the tree *Servers*, without an editor: which there are, what they say, and which read otherwise by now. */
export class TreeModel {
  readonly #parts: TreeModelParts;
  /** The connections' rows, so that one stays the same object. */
  readonly #roots = new Map<ConnectionId, TreeNode>();
  /** What each row that was drawn shows, by connection and key. */
  readonly #drawn = new Map<ConnectionId, Map<string, Drawn>>();
  /** Those whose row counts seconds. */
  readonly #counting = new Set<ConnectionId>();
  #accesses: ReadonlyMap<ConnectionId, readonly LocalAccess[]> | undefined;

  constructor(parts: TreeModelParts) {
    this.#parts = parts;
  }

  /** Whether anything was drawn. */
  get isDrawn(): boolean {
    return this.#drawn.size > 0;
  }

  /** The connections whose row counts seconds. */
  get counting(): ReadonlySet<ConnectionId> {
    return this.#counting;
  }

  /** Forgets what was drawn: all of it will be drawn anew. */
  clear(): void {
    this.#drawn.clear();
    this.#counting.clear();
    this.#accesses = undefined;
  }

  /** Forgets a connection that is gone. */
  forget(id: ConnectionId): void {
    this.#roots.delete(id);
    this.#drawn.delete(id);
    this.#counting.delete(id);
  }

  /** Says that others may have access now, or have used it. */
  noteAccesses(): void {
    this.#accesses = undefined;
  }

  /** The row of a connection. */
  root(id: ConnectionId): TreeNode {
    let node = this.#roots.get(id);
    if (node === undefined) {
      node = { kind: 'connection', key: id, connectionId: id };
      this.#roots.set(id, node);
    }
    return node;
  }

  /** The rows below `node`, or those at the top. */
  children(node?: TreeNode): TreeNode[] {
    const { service } = this.#parts;
    if (node === undefined) return service.connections.map(({ id }) => this.root(id));
    const { key, connectionId } = node;
    const connection = service.get(connectionId);
    if (connection === undefined) return [];
    const drawn = this.#drawn.get(connectionId) ?? new Map<string, Drawn>();
    for (const shown of drawn.keys()) if (shown.startsWith(`${key}/`)) drawn.delete(shown);
    switch (node.kind) {
      case 'connection':
        return partsOf(connection).map((kind) => ({ kind, key: this.#partKey(connectionId, kind), connectionId }));
      case 'scopes':
        return scopeRows(connection).map((row) => ({ kind: 'scope', key: `${key}/${row.scope}`, connectionId, row }));
      case 'usedBy':
        return this.#accessesOf(connectionId).map(({ id }) => {
          return { kind: 'access', key: `${key}/${id}`, connectionId, accessId: id };
        });
      case 'activity':
        return this.#events(connectionId).map((entry, index) => {
          return { kind: 'event', key: `${key}/${entry.at}/${index}`, connectionId, entry };
        });
      default:
        return [];
    }
  }

  /** How `node` is to be drawn now; from then on it is known what it shows. */
  draw(node: TreeNode): ShownRow {
    const { connectionId, key } = node;
    const text = this.#text(node);
    const drawn = this.#drawn.get(connectionId) ?? new Map<string, Drawn>();
    this.#drawn.set(connectionId, drawn.set(key, { node, signature: this.#signature(node, text) }));
    return { text, children: this.#openness(node) };
  }

  /** What a tooltip says of `node` now; the row as it is spoken where there is no more to say. */
  tooltip(node: TreeNode): TooltipTable | string {
    const { clock, gateway, service } = this.#parts;
    const now = clock.now();
    const connection = service.get(node.connectionId);
    if (connection === undefined) return '';
    if (node.kind === 'connection') {
      const device = service.deviceAuthorization(connection.id);
      return { title: connection.name, lines: tooltipLines(connection, now, { device, accesses: gateway.accesses }) };
    }
    if (node.kind === 'access') {
      const access = this.#access(node);
      if (access !== undefined) return { title: accessName(access), lines: accessTooltipLines(access, now) };
    }
    const { spoken } = this.#text(node);
    if (node.kind !== 'scope' || node.row.demand === undefined) return spoken;
    const state = { label: t('State'), value: t('demanded, not granted') };
    return { title: node.row.scope, lines: [state, demandLine(node.row.demand, now)] };
  }

  /**
   * The rows that read otherwise than they were drawn, or have other rows below them; not those below one that is given
   * itself, which are drawn with it.
   * @param ids only of these connections
   */
  changed(ids: Iterable<ConnectionId> = this.#drawn.keys()): TreeNode[] {
    const changed: TreeNode[] = [];
    for (const id of ids) {
      const given = new Set<string>();
      // A row is drawn after the one above it, so the one above comes first.
      for (const { node, signature } of this.#drawn.get(id)?.values() ?? []) {
        if (signature === this.#signature(node, this.#text(node)) || isBelow(node.key, given)) continue;
        given.add(node.key);
        changed.push(node);
      }
    }
    return changed;
  }

  #text(node: TreeNode): RowText {
    const { clock, service } = this.#parts;
    const connection = service.get(node.connectionId);
    const now = clock.now();
    if (connection === undefined) return NO_TEXT;
    switch (node.kind) {
      case 'connection':
        if (connection.state.type === 'unreachable') this.#counting.add(connection.id);
        else this.#counting.delete(connection.id);
        return connectionText(connection, now, service.deviceAuthorization(connection.id));
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
        return usedByText(this.#accessesOf(connection.id), now);
      case 'access': {
        const access = this.#access(node);
        return access === undefined ? NO_TEXT : accessText(access, now);
      }
      case 'activity':
        return activityText(service.activity(connection.id), now);
      case 'event':
        return activityEntryText(node.entry, now);
    }
  }

  #openness(node: TreeNode): ShownRow['children'] {
    switch (node.kind) {
      case 'connection':
      case 'activity':
        return 'closed';
      case 'scopes': {
        const connection = this.#parts.service.get(node.connectionId);
        return connection === undefined || scopeRows(connection).length === 0 ? 'none' : 'open';
      }
      case 'usedBy':
        return this.#accessesOf(node.connectionId).length === 0 ? 'none' : 'open';
      default:
        return 'none';
    }
  }

  #signature(node: TreeNode, { contextValue, description, icon, label }: RowText): string {
    return [label, description, icon?.id, icon?.color, contextValue, ...this.#below(node)].join('\n');
  }

  /** What tells the rows below a row, and what its tooltip says of them: a tooltip is made once for each drawing. */
  #below({ connectionId, kind }: TreeNode): readonly string[] {
    switch (kind) {
      case 'connection': {
        const connection = this.#parts.service.get(connectionId);
        if (connection === undefined) return [];
        const users = this.#accessesOf(connectionId).map((one) => `${accessName(one)} ${toolsText(one.allowedTools)}`);
        return [...partsOf(connection), ...users];
      }
      case 'scopes': {
        const connection = this.#parts.service.get(connectionId);
        if (connection === undefined) return [];
        return scopeRows(connection).map(
          ({ demand, scope, status }) => `${scope} ${status} ${(demand && causeText(demand)) ?? ''}`,
        );
      }
      case 'usedBy':
        return this.#accessesOf(connectionId).map(({ id }) => id);
      case 'activity':
        return this.#events(connectionId).map(({ at, type }) => `${at} ${type}`);
      default:
        return [];
    }
  }

  /** The last events, the newest first. */
  #events(id: ConnectionId): readonly ActivityEntry[] {
    return this.#parts.service.activity(id).slice(-SHOWN_EVENTS).toReversed();
  }

  /** The editor leaves a row that gets its first child closed, so *Used by* is another row then. */
  #partKey(id: ConnectionId, part: Part): string {
    const isEmpty = part === 'usedBy' && this.#accessesOf(id).length === 0;
    return `${id}/${isEmpty ? 'usedByNobody' : part}`;
  }

  #accessesOf(id: ConnectionId): readonly LocalAccess[] {
    this.#accesses ??= byConnection(this.#parts.gateway.accesses, this.#parts.service.connections);
    return this.#accesses.get(id) ?? [];
  }

  #access({ accessId, connectionId }: Extract<TreeNode, { kind: 'access' }>): LocalAccess | undefined {
    return this.#accessesOf(connectionId).find(({ id }) => id === accessId);
  }
}

/** Whether the row with this key is below one of `rows`. */
function isBelow(key: string, rows: ReadonlySet<string>): boolean {
  for (let end = key.indexOf('/'); end !== -1; end = key.indexOf('/', end + 1)) {
    if (rows.has(key.slice(0, end))) return true;
  }
  return false;
}

/** The accesses by connection; those that are good for all are looked for in the slow way, which are few. */
function byConnection(
  accesses: readonly LocalAccess[],
  connections: readonly Connection[],
): ReadonlyMap<ConnectionId, readonly LocalAccess[]> {
  if (accesses.some(({ connection }) => connection === undefined)) {
    return new Map(connections.map(({ id }) => [id, accessesOf(accesses, id)]));
  }
  const found = new Map<ConnectionId, LocalAccess[]>();
  for (const access of accesses) {
    const { connection = '' } = access;
    const others = found.get(connection);
    if (others === undefined) found.set(connection, [access]);
    else others.push(access);
  }
  return found;
}

/** The rows below a connection that have something to say. */
function partsOf(connection: Connection): readonly Part[] {
  // Who gave a token that the person brought, and for what, nobody knows.
  if (connection.kind === 'static_token') return ['expires', 'signIn', 'usedBy', 'activity'];
  return PARTS.filter((part) => part !== 'signIn' || signsInText(connection) !== undefined);
}
