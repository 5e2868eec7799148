/** How long the upstream's tool `hold` keeps the rest of its answer back, after the first event. */
export const HOLD_MS = 300;
