import type { TimelineEvent, TimelineModel } from '../detailsMessages.ts';
import { chevron, markIcon, markPath } from './icons.ts';
import { type View, view } from './patch.ts';

/** Where things are on the drawing, in pixels from its top. */
const NOW_TEXT_Y = 12;
const BAR_Y = 32;
const BAR_HEIGHT = 8;
const MIDDLE_Y = BAR_Y + BAR_HEIGHT / 2;
const TICK_Y = 68;
const HEIGHT = 76;

/** The life of the token: drawn for the eye, and the same as a list in words. */
export function timelineView(timeline: TimelineModel): View {
  const title = view('h2', { id: 'timeline' }, timeline.title);
  const frame = { 'aria-labelledby': 'timeline', key: 'timeline' };
  if (timeline.empty !== undefined) return view('section', frame, title, view('p', { class: 'empty' }, timeline.empty));
  return view(
    'section',
    frame,
    title,
    drawing(timeline),
    legend(timeline),
    view('h3', {}, timeline.eventsTitle),
    eventList(timeline.events),
    timeline.earlier.length === 0
      ? undefined
      : view(
          'details',
          { key: 'earlier', class: 'earlier' },
          view('summary', {}, chevron(), timeline.earlierTitle),
          eventList(timeline.earlier),
        ),
  );
}

function percent(at: number): string {
  return `${at}%`;
}

/** How a text stands to its place, so that none is cut off at an edge. */
function anchor(at: number): string {
  return at < 12 ? 'start' : at > 88 ? 'end' : 'middle';
}

function drawing({ marks, now, spans, ticks }: TimelineModel): View {
  return view(
    'svg',
    { class: 'line', width: '100%', height: String(HEIGHT), 'aria-hidden': 'true' },
    view('rect', { key: 'track', class: 'track', x: '0', y: String(MIDDLE_Y - 1), width: '100%', height: '2' }),
    ...spans.map(({ from, isAhead, to }, index) =>
      view('rect', {
        key: `span ${index}`,
        class: isAhead ? 'span ahead' : 'span',
        x: percent(from),
        y: String(BAR_Y),
        width: percent(Math.max(0.3, to - from)),
        height: String(BAR_HEIGHT),
      }),
    ),
    view('line', { key: 'now', class: 'now', x1: percent(now.at), x2: percent(now.at), y1: '16', y2: '54' }),
    view(
      'text',
      { key: 'now text', class: 'now-text', x: percent(now.at), y: String(NOW_TEXT_Y), 'text-anchor': anchor(now.at) },
      now.text,
    ),
    ...marks.map(({ at, count, key, mark, text }) =>
      view(
        'svg',
        { key: `mark ${key}`, class: 'place', x: percent(at), y: String(MIDDLE_Y) },
        view(
          'g',
          { transform: 'translate(-8 -8)' },
          markPath(mark),
          count === 1 ? undefined : view('text', { class: 'count', x: '1', y: '4', 'text-anchor': 'end' }, `×${count}`),
          view('title', {}, text),
        ),
      ),
    ),
    ...ticks.map(({ at, text }, index) =>
      view(
        'text',
        { key: `tick ${index}`, class: 'tick', x: percent(at), y: String(TICK_Y), 'text-anchor': anchor(at) },
        text,
      ),
    ),
  );
}

/** A part of the bar, for the legend. */
function bar(className: string, text: string): View {
  return view(
    'li',
    { key: className },
    view(
      'svg',
      { class: 'icon', width: '16', height: '16' },
      view('rect', { class: className, x: '0', y: '4', width: '16', height: '8' }),
    ),
    text,
  );
}

function legend({ aheadText, legend: marks, spanText, spans }: TimelineModel): View {
  return view(
    'ul',
    { class: 'legend', 'aria-hidden': 'true' },
    spans.some(({ isAhead }) => !isAhead) ? bar('span', spanText) : undefined,
    spans.some(({ isAhead }) => isAhead) ? bar('span ahead', aheadText) : undefined,
    ...marks.map(({ mark, text }) => view('li', { key: mark }, markIcon(mark), text)),
  );
}

function eventList(events: readonly TimelineEvent[]): View {
  return view(
    'ol',
    { class: 'events', reversed: '' },
    ...events.map(({ ago, details, iso, key, mark, time, title }) =>
      view(
        'li',
        { key },
        markIcon(mark),
        view(
          'div',
          {},
          view('p', {}, title),
          ...details.map((detail, index) => view('p', { key: String(index), class: 'muted' }, detail)),
        ),
        view('time', { class: 'muted', datetime: iso, title: time }, ago),
      ),
    ),
  );
}
