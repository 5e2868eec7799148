import type { ActivityEntry } from '../../connections/activity.ts';
import { currentGrant, type Connection } from '../../connections/connection.ts';
import { isSeldomEchoed } from '../../connections/grant.ts';
import { plainText } from '../../oauth/errors.ts';
import { difference, union } from '../../oauth/scopeSet.ts';
import { t } from '../localize.ts';
import { clockText } from '../relativeTime.ts';
import { scopeRows, type ScopeStatus } from '../scopeRows.ts';
import { eventText } from '../treeText.ts';
import { signInTitle } from './signInTitle.ts';
import type { CellStatus, MatrixModel } from './detailsMessages.ts';

/** More would not fit side by side; the newest are shown. */
const MOST_COLUMNS = 6;
/** A server may name any number of scopes; these are more than anybody reads. */
const MOST_ROWS = 200;
const LONGEST_SCOPE = 200;

/** The scopes at one time. Requested, granted and challenged are three sets (P21); dropped is what a renewal lost. */
interface ScopeMoment {
  readonly key: string;
  readonly title: string;
  readonly at: number;
  readonly requested: readonly string[];
  readonly granted: readonly string[];
  readonly challenged: readonly string[];
  readonly dropped: readonly string[];
}

/** The scopes of a connection over time, at the instant `now` (ms since the epoch): a column for each time they changed. */
export function scopeMatrix(connection: Connection, activity: readonly ActivityEntry[], now: number): MatrixModel {
  const statuses = new Map(scopeRows(connection).map(({ scope, status }) => [scope, status]));
  const moments = scopeMoments(activity).slice(-MOST_COLUMNS);
  const all = union(
    [...statuses.keys()],
    moments.flatMap(({ requested, granted, challenged, dropped }) => [
      ...granted,
      ...dropped,
      ...requested,
      ...challenged,
    ]),
  );
  const scopes = all.filter((scope) => statuses.has(scope) || !isSeldomEchoed(scope));
  const isOwnToken = connection.kind === 'static_token';
  return {
    title: t('Scopes over time'),
    ...(isOwnToken ? { empty: t('Nobody but its maker knows the scopes of a token of your own.') } : {}),
    ...(!isOwnToken && scopes.length === 0 ? { empty: noScopesText(connection) } : {}),
    caption: t('What was requested, granted, demanded and dropped at each sign-in and renewal that changed it'),
    scopeTitle: t('Scope'),
    columns: [
      ...moments.map(({ key, title, at }) => ({ key, title, time: clockText(at, now) })),
      { key: 'now', title: t('Now'), time: '' },
    ],
    more: scopes.length > MOST_ROWS ? t('and {0} more', scopes.length - MOST_ROWS) : '',
    rows: scopes.slice(0, MOST_ROWS).map((scope) => ({
      scope: plainText(scope, LONGEST_SCOPE) ?? '',
      cells: [...moments.map((moment) => cellOf(scope, moment)), cellNow(scope, statuses.get(scope), connection)],
    })),
  };
}

function noScopesText(connection: Connection): string {
  return currentGrant(connection) === undefined
    ? t('No scopes are known yet. They are asked for at the first sign-in.')
    : t('This server uses no scopes.');
}

/** Each time at which the scopes were other than before, the oldest first. */
function scopeMoments(activity: readonly ActivityEntry[]): readonly ScopeMoment[] {
  const moments: ScopeMoment[] = [];
  let last: ScopeMoment | undefined;
  for (const [index, entry] of activity.entries()) {
    const { at, type, scopes = [], requested, challenged = [] } = entry;
    const key = `${at}/${index}`;
    const next = { key, at };
    switch (type) {
      case 'connected': {
        const { title } = signInTitle(entry, last?.granted);
        const asked = requested ?? scopes;
        last = { ...next, title, requested: asked, granted: scopes, challenged, dropped: [] };
        moments.push(last);
        break;
      }
      case 'scopes_dropped':
        if (last === undefined) break;
        if (isOfSignIn(activity, index)) {
          // What a sign-in did not give was never there; entries of older versions tell what was asked for only so.
          last = { ...last, requested: union(last.requested, scopes) };
          moments.splice(-1, 1, last);
        } else {
          const granted = difference(last.granted, scopes);
          last = { ...last, ...next, title: eventText({ type }), granted, dropped: union(last.dropped, scopes) };
          moments.push(last);
        }
        break;
      case 'scopes_restored':
        if (last === undefined) break;
        last = {
          ...last,
          ...next,
          title: eventText({ type }),
          granted: union(last.granted, scopes),
          dropped: difference(last.dropped, scopes),
        };
        moments.push(last);
        break;
      case 'consent_needed':
        if (last === undefined) break;
        last = { ...last, ...next, title: eventText({ type }), challenged: union(last.challenged, scopes) };
        moments.push(last);
        break;
      case 'disconnected':
        last = undefined;
        break;
      default:
    }
  }
  return moments;
}

/** Whether a loss was told right after a sign-in: then nothing was lost, it was not given. */
function isOfSignIn(activity: readonly ActivityEntry[], index: number): boolean {
  return activity[index - 1]?.type === 'connected';
}

type Cell = MatrixModel['rows'][number]['cells'][number];

function cellOf(scope: string, { requested, granted, challenged, dropped }: ScopeMoment): Cell {
  const isRequested = requested.includes(scope);
  const isChallenged = challenged.includes(scope);
  if (granted.includes(scope)) return cell('granted', isRequested, isChallenged);
  if (dropped.includes(scope)) return cell('dropped', isRequested, isChallenged);
  if (isChallenged) return cell('demanded', isRequested, false);
  return cell(isRequested ? 'not_granted' : 'none', false, false);
}

const STATUS_NOW: Readonly<Record<ScopeStatus, CellStatus>> = {
  granted: 'granted',
  dropped: 'dropped',
  demanded: 'demanded',
  not_granted: 'not_granted',
  not_asked_yet: 'asked_next',
};

function cellNow(scope: string, status: ScopeStatus | undefined, { requested, challenged }: Connection): Cell {
  if (status === undefined) return cell('none', false, false);
  const now = STATUS_NOW[status];
  if (now === 'asked_next' || now === 'not_granted') return cell(now, false, false);
  return cell(now, requested.includes(scope), now !== 'demanded' && challenged.includes(scope));
}

/** A cell in words. What a status says by itself is not noted beside it. */
function cell(status: CellStatus, isRequested: boolean, isChallenged: boolean): Cell {
  const notes = [...(isRequested ? [t('requested')] : []), ...(isChallenged ? [t('demanded')] : [])];
  return { status, text: statusText(status), notes: notes.join(', ') };
}

function statusText(status: CellStatus): string {
  switch (status) {
    case 'granted':
      return t('granted');
    case 'dropped':
      return t('dropped');
    case 'not_granted':
      return t('not granted');
    case 'demanded':
      return t('demanded');
    case 'asked_next':
      return t('asked for at sign-in');
    case 'none':
      return t('not asked for');
  }
}
