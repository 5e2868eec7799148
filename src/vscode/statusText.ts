import type { Connection } from '../connections/connection.ts';
import { healthOf, summarizeHealth, worstFirst, type HealthLevel, type HealthSummary } from '../connections/health.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';
import { connectionFlags, scopeNumbers, stateText } from './treeText.ts';
import { markdownText } from './untrustedText.ts';

export interface StatusBarText {
  readonly text: string;
  /** What a screen reader says instead. */
  readonly spoken: string;
  readonly level: HealthSummary['level'];
}

/** The status bar item at the instant `now`, or undefined when there is nothing to tell. */
export function statusBarText(connections: readonly Connection[], now: number): StatusBarText | undefined {
  if (connections.length === 0) return undefined;
  const { away, level, total, connected, needingUser } = summarizeHealth(connections, now);
  switch (level) {
    case 'ok':
      if (connected === 0) return unconnectedText(connections);
      return { level, text: `$(key) ${connected}`, spoken: t('MCP connections: {0} connected', connected) };
    case 'offline':
      return {
        level,
        text: `$(debug-disconnect) ${t('{0} of {1}', away, total)}`,
        spoken: t('MCP connections: {0} of {1} do not work now and are tried again', away, total),
      };
    case 'attention':
      return {
        level,
        text: `$(warning) ${t('{0} of {1}', needingUser, total)}`,
        spoken: t('MCP connections: {0} of {1} will soon need you', needingUser, total),
      };
    case 'error':
      return {
        level,
        text: `$(error) ${t('{0} of {1}', needingUser, total)}`,
        spoken: t('MCP connections: {0} of {1} need you to sign in', needingUser, total),
      };
  }
}

/** While there is no connection to count: the first one is being made, or all were ended. */
function unconnectedText(connections: readonly Connection[]): StatusBarText {
  return connections.some(({ state }) => state.type === 'authorizing')
    ? { level: 'ok', text: '$(sync~spin)', spoken: t('MCP connections: signing in') }
    : { level: 'ok', text: '$(key)', spoken: t('MCP connections: none is connected') };
}

/** How many rows the hover shows before it refers to the view. */
const HOVER_ROWS = 12;

const HEALTH_GLYPHS: Readonly<Record<HealthLevel, string>> = {
  ok: '$(pass)',
  working: '$(sync)',
  offline: '$(debug-disconnect)',
  attention: '$(warning)',
  error: '$(error)',
  failed: '$(error)',
  off: '$(circle-slash)',
};

/** The commands that the hover may run: a link to any other one, smuggled in by a server, does nothing. */
export const hoverCommands: readonly string[] = [
  commandIds.reauthorize,
  commandIds.refreshToken,
  commandIds.connectServer,
  commandIds.reveal,
  commandIds.showStatus,
];

/** The hover of the status bar: a Markdown table of the connections, the worst first. All of their text is escaped. */
export function statusHover(connections: readonly Connection[], now: number): string {
  const sorted = worstFirst(connections, now);
  const rows = sorted.slice(0, HOVER_ROWS).map((connection) => {
    const glyph = HEALTH_GLYPHS[healthOf(connection, now)];
    const name = link(markdownText(connection.name), commandIds.reveal, connection);
    const cells = [stateText(connection, now), scopeNumbers(connection)].map(markdownText);
    return row(`${glyph} ${name}`, ...cells, actionLink(connection, now));
  });
  const rest = sorted.length - rows.length;
  return [
    row(...[t('MCP Connections'), t('State'), t('Scopes'), ''].map(onOneLine)),
    '|:--|:--|:--|:--|',
    ...rows,
    '',
    [
      ...(rest > 0 ? [`[${markdownText(t('and {0} more', rest))}](command:${commandIds.showStatus})`] : []),
      `[${markdownText(t('Connect Server…'))}](command:${commandIds.connectServer})`,
    ].join(' &nbsp;·&nbsp; '),
  ].join('\n');
}

/** A row of a Markdown table; spaces keep its cells apart, which the hover does not. They never go to a line of their own. */
function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => (cell === '' ? '' : `${cell}&nbsp;&nbsp;`)).join(' | ')} |`;
}

function actionLink(connection: Connection, now: number): string {
  switch (healthOf(connection, now)) {
    case 'error':
    case 'attention':
    case 'failed':
    case 'off':
      return link(onOneLine(t('Sign in')), commandIds.reauthorize, connection);
    case 'ok':
      return connectionFlags(connection).includes('canRefresh')
        ? link(onOneLine(t('Refresh now')), commandIds.refreshToken, connection)
        : '';
    case 'offline':
      return link(onOneLine(t('Retry now')), commandIds.refreshToken, connection);
    case 'working':
      return '';
  }
}

/** @param label as Markdown */
function link(label: string, command: string, connection: Connection): string {
  return `[${label}](${commandLink(command, connection.id)})`;
}

/** A text as Markdown that the table does not break, however wide its other columns are. */
function onOneLine(text: string): string {
  return markdownText(text).replaceAll(' ', '&nbsp;');
}

/** A `command:` URI with one argument, fit to stand between the round brackets of a link. */
export function commandLink(command: string, argument: string): string {
  const query = encodeURIComponent(JSON.stringify([argument]))
    .replaceAll('(', '%28')
    .replaceAll(')', '%29');
  return `command:${command}?${query}`;
}
