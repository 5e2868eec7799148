/** From when to when something was, in ms since the epoch. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

/** A line of time, from its left edge to its right one. */
export interface TimeScale {
  /** In ms since the epoch. */
  readonly start: number;
  /** Where an instant is on the line, in percent from the left; what is beside the line is at its end. */
  readonly place: (at: number) => number;
}

/** How many lives of a token are shown, so that each is long enough to be seen. */
const SHOWN_LIVES = 8;
const SHORTEST_LIFE_MS = 60_000;
/** What a token without an end is taken to live, for the scale alone. */
const USUAL_LIFE_MS = 60 * 60_000;
/** Left free at both ends, in percent, so that what is there can be seen whole. */
const MARGIN = 3;

/**
 * The line on which the last lives of a token are seen, and what is ahead of it.
 * @param events when something happened, the oldest first; in ms since the epoch, as all here
 * @param current the time of the newest token
 */
export function fitScale(events: readonly number[], current: TimeSpan | undefined, now: number): TimeScale {
  const life = Math.max(SHORTEST_LIFE_MS, current === undefined ? USUAL_LIFE_MS : current.to - current.from);
  const [first = now] = events;
  const last = events.at(-1) ?? now;
  const end = Math.max(now, current?.to ?? now, last);
  const start = Math.min(Math.max(first, Math.min(now - SHOWN_LIVES * life, last - life)), end - SHORTEST_LIFE_MS);
  const place = (at: number): number => {
    const share = (at - start) / (end - start);
    const inside = Math.min(1, Math.max(0, share));
    return Math.round((MARGIN + inside * (100 - 2 * MARGIN)) * 100) / 100;
  };
  return { start, place };
}
