import type { CellStatus, Mark, Tone } from '../detailsMessages.ts';
import { type View, view } from './patch.ts';

const CIRCLE = 'M8 1.75a6.25 6.25 0 1 0 0 12.5 6.25 6.25 0 0 0 0-12.5Z';
const TRIANGLE = 'M8 2 14.5 13.5h-13Z M8 6.5V10 M8 11.6v.4';
const SLASHED = `${CIRCLE} M3.6 12.4 12.4 3.6`;

const TONE_PATHS: Readonly<Record<Tone, string>> = {
  good: `${CIRCLE} M5 8.2l2 2 4-4.4`,
  working: 'M13.5 8a5.5 5.5 0 1 1-1.8-4.1 M13.5 1.5v3h-3',
  away: `${CIRCLE} M8 4.5V8l2.5 1.5`,
  warning: TRIANGLE,
  bad: `${CIRCLE} M5.8 5.8l4.4 4.4 M10.2 5.8l-4.4 4.4`,
  quiet: SLASHED,
};

const CELL_PATHS: Readonly<Record<CellStatus, string>> = {
  granted: 'M3 8.5l3.2 3.2L13 4.8',
  dropped: TRIANGLE,
  not_granted: SLASHED,
  demanded: 'M4 7.5h8v6H4Z M5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2',
  asked_next: CIRCLE,
  none: 'M5 8h6',
};

/** Of each mark its outline, about the middle of a square of 16. */
const MARK_PATHS: Readonly<Record<Mark, string>> = {
  signIn: 'M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3Z',
  stepUp: 'M8 1.5 14.5 8 8 14.5 1.5 8Z',
  renewal: 'M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z',
  warning: 'M8 2 14.5 13.5h-13Z',
  failure: 'M3.5 3.5l9 9 M12.5 3.5l-9 9',
  end: 'M8 1v14',
  other: 'M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z',
};

/** A picture that repeats what a word beside it says. */
function icon(className: string, path: string): View {
  return view(
    'svg',
    { class: `icon ${className}`, viewBox: '0 0 16 16', width: '16', height: '16', 'aria-hidden': 'true' },
    view('path', { d: path }),
  );
}

export function toneIcon(tone: Tone): View {
  return icon(`tone-${tone}`, TONE_PATHS[tone]);
}

export function cellIcon(status: CellStatus): View {
  return icon(`cell-${status}`, CELL_PATHS[status]);
}

export function markIcon(mark: Mark): View {
  return icon(`mark mark-${mark}`, MARK_PATHS[mark]);
}

/** Points down where its `details` are open. */
export function chevron(): View {
  return icon('chevron', 'M6 3.5 10.5 8 6 12.5');
}

/** A mark on the line of time. */
export function markPath(mark: Mark): View {
  return view('path', { class: `mark mark-${mark}`, d: MARK_PATHS[mark] });
}
