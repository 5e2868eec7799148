import type { ActivityEntry } from '../../connections/activity.ts';
import { currentGrant, type Connection, type Grant } from '../../connections/connection.ts';
import { plainText } from '../../oauth/errors.ts';
import { causeText } from '../causeText.ts';
import { errorCodeText } from '../errorCodeText.ts';
import { t } from '../localize.ts';
import { absoluteText, agoText, clockText, expiryText } from '../relativeTime.ts';
import { eventText } from '../treeText.ts';
import type { Mark, TimelineEvent, TimelineModel } from './detailsMessages.ts';
import { signInTitle } from './signInTitle.ts';
import { fitScale, type TimeScale, type TimeSpan } from './timeScale.ts';

const SHOWN_EVENTS = 8;
const LONGEST_SCOPES = 500;
/** Marks nearer to each other than this are drawn as one, in percent of the width. */
const NEAREST = 2.5;

/** An event with what it means for the life of the token. */
interface LifeEvent {
  readonly entry: ActivityEntry;
  readonly mark: Mark;
  readonly title: string;
}

/** The line of time of a connection's tokens at the instant `now` (ms since the epoch). */
export function timelineModel(connection: Connection, activity: readonly ActivityEntry[], now: number): TimelineModel {
  const grant = currentGrant(connection);
  const life = lifeEvents(activity);
  const expiresAt = grant?.expiresAt;
  const spans = tokenSpans(activity, grant, now);
  const scale = fitScale(
    livedThrough(life).map(({ entry }) => entry.at),
    spans.at(-1),
    now,
  );
  const events = life.map((event, index) => listed(event, index, now)).toReversed();
  return {
    title: t('Life of the token'),
    ...(hasToken(activity, grant) ? {} : { empty: emptyText(connection) }),
    spans: drawnSpans(spans, scale, now),
    marks: groupedMarks(life, scale, expiresAt, now),
    now: { at: scale.place(now), text: t('now') },
    ticks: ticksOf(scale, now, expiresAt),
    legend: legendOf(life, expiresAt !== undefined),
    spanText: t('token good'),
    aheadText: t('good until it ends'),
    eventsTitle: t('Events, the newest first'),
    events: events.slice(0, SHOWN_EVENTS),
    earlier: events.slice(SHOWN_EVENTS),
    earlierTitle: t('{0} earlier events', Math.max(0, events.length - SHOWN_EVENTS)),
  };
}

function hasToken(activity: readonly ActivityEntry[], grant: Grant | undefined): boolean {
  return grant !== undefined || activity.some(({ type }) => type !== 'added');
}

function emptyText({ kind }: Connection): string {
  return kind === 'static_token'
    ? t('No token was entered yet. From then on you see here when it was changed and refused.')
    : t('Nobody has signed in yet. From then on you see here when the token was given, renewed and will end.');
}

/** What each event is on the line. A sign-in that brought more scopes than the one before is a step-up (P22). */
function lifeEvents(activity: readonly ActivityEntry[]): readonly LifeEvent[] {
  let granted: readonly string[] | undefined;
  return activity.map((entry) => {
    const before = granted;
    if (entry.type === 'connected') granted = entry.scopes ?? [];
    if (entry.type === 'disconnected') granted = undefined;
    if (entry.type !== 'connected') return { entry, mark: MARK_OF[entry.type], title: eventText(entry) };
    const { gained, title } = signInTitle(entry, before);
    if (gained.length === 0) return { entry, mark: 'signIn', title };
    return { entry: { ...entry, scopes: gained }, mark: 'stepUp', title };
  });
}

const MARK_OF: Readonly<Record<Exclude<ActivityEntry['type'], 'connected'>, Mark>> = {
  added: 'other',
  refreshed: 'renewal',
  scopes_dropped: 'warning',
  scopes_restored: 'other',
  sign_in_failed: 'failure',
  sign_in_cancelled: 'other',
  refresh_failed: 'failure',
  sign_in_needed: 'warning',
  consent_needed: 'warning',
  disconnected: 'end',
};

function listed({ entry, mark, title }: LifeEvent, index: number, now: number): TimelineEvent {
  const { at, scopes, errorCode, expiresAt } = entry;
  const cause = causeText(entry);
  const error = errorCodeText(errorCode);
  return {
    key: `${at}/${entry.type}/${index}`,
    mark,
    title,
    time: absoluteText(at),
    iso: new Date(at).toISOString(),
    ago: agoText(at, now),
    details: [
      ...(scopes === undefined || scopes.length === 0 ? [] : [plainText(scopes.join(' '), LONGEST_SCOPES) ?? '']),
      ...(cause === undefined ? [] : [cause]),
      ...(error === undefined ? [] : [error]),
      ...(expiresAt === undefined ? [] : [t('good until {0}', clockText(expiresAt, at))]),
    ],
  };
}

/** The time of each token that there was: until the next one, until it was given up, or until it ends. */
function tokenSpans(activity: readonly ActivityEntry[], grant: Grant | undefined, now: number): readonly TimeSpan[] {
  const spans: TimeSpan[] = [];
  let open: { readonly from: number; readonly expiresAt: number } | undefined;
  const close = (at: number) => {
    if (open !== undefined) spans.push({ from: open.from, to: Math.min(at, open.expiresAt) });
    open = undefined;
  };
  for (const { at, type, expiresAt = Infinity } of activity) {
    if (type === 'connected' || type === 'refreshed') {
      close(at);
      open = { from: at, expiresAt };
    } else if (type === 'disconnected' || type === 'sign_in_needed') {
      close(at);
    }
  }
  if (grant === undefined) {
    close(now);
  } else {
    // The grant knows best: entries of older versions do not say when a token ends.
    const from = grant.refreshedAt ?? grant.issuedAt;
    if (open !== undefined && open.from < from) close(from);
    spans.push({ from, to: grant.expiresAt ?? now });
  }
  return spans.filter(({ from, to }) => to > from);
}

/** The spans on the line; one that reaches past now is cut in two there. */
function drawnSpans(spans: readonly TimeSpan[], scale: TimeScale, now: number): TimelineModel['spans'] {
  return spans
    .flatMap(({ from, to }) => [
      { from, to: Math.min(to, now), isAhead: false },
      { from: Math.max(from, now), to, isAhead: true },
    ])
    .filter(({ from, to }) => to > Math.max(from, scale.start))
    .map(({ from, to, isAhead }) => ({ from: scale.place(from), to: scale.place(to), isAhead }));
}

/** How grave each mark is: of several in one place the gravest is seen. */
const GRAVITY: readonly Mark[] = ['other', 'renewal', 'end', 'signIn', 'warning', 'stepUp', 'failure'];

function groupedMarks(
  life: readonly LifeEvent[],
  scale: TimeScale,
  expiresAt: number | undefined,
  now: number,
): TimelineModel['marks'] {
  const marks: { key: string; at: number; mark: Mark; count: number; text: string }[] = [];
  const happened = livedThrough(life).map(({ entry, mark, title }) => ({ at: entry.at, mark, title }));
  const ends = expiresAt === undefined ? [] : [{ at: expiresAt, mark: 'end' as const, title: t('End of the token') }];
  for (const { at, mark, title } of [...happened, ...ends]) {
    if (at < scale.start) continue;
    const place = scale.place(at);
    const last = marks.at(-1);
    if (last !== undefined && place - last.at < NEAREST) {
      last.count += 1;
      last.text = t('{0} events until {1}', last.count, clockText(at, now));
      if (GRAVITY.indexOf(mark) > GRAVITY.indexOf(last.mark)) last.mark = mark;
    } else {
      const text = t('{0}, {1}', title, clockText(at, now));
      marks.push({ key: `${at}/${marks.length}`, at: place, mark, count: 1, text });
    }
  }
  return marks;
}

function ticksOf(scale: TimeScale, now: number, expiresAt: number | undefined): TimelineModel['ticks'] {
  const ticks = [{ at: 0, text: clockText(scale.start, now) }];
  if (expiresAt !== undefined && expiresAt >= scale.start) {
    ticks.push({ at: scale.place(expiresAt), text: expiryText(expiresAt, now) });
  }
  return ticks;
}

/** What belongs to the life of a token: that a connection was added does not, and is told in the list alone. */
function livedThrough(life: readonly LifeEvent[]): readonly LifeEvent[] {
  return life.filter(({ entry }) => entry.type !== 'added');
}

function legendOf(life: readonly LifeEvent[], hasEnd: boolean): TimelineModel['legend'] {
  const texts: readonly (readonly [Mark, string])[] = [
    ['signIn', t('signed in')],
    ['stepUp', t('more scopes')],
    ['renewal', t('renewed')],
    ['warning', t('needs a look')],
    ['failure', t('failed')],
    ['end', t('end')],
    ['other', t('other')],
  ];
  const used = new Set<Mark>([...livedThrough(life).map(({ mark }) => mark), ...(hasEnd ? (['end'] as const) : [])]);
  return texts.filter(([mark]) => used.has(mark)).map(([mark, text]) => ({ mark, text }));
}
