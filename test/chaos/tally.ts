import type { FaultyServer } from '../servers/faultyServer.ts';

/** What came of one case of the bench. */
export interface Tally {
  readonly name: string;
  readonly tries: number;
  /** Logins that ended: the person has to sign in again. */
  readonly lost: number;
  /**
   * What must not be: logins lost whose answer had reached this machine's disk, or whose token was still good at the
   * server; rounds with another number of refreshes than one. Undefined where nothing is promised.
   */
  readonly faults: number | undefined;
  /** Refreshes that the server saw with a token that had been used already. */
  readonly duplicates: number;
}

/** How many refreshes came with a refresh token that had come before. */
export function duplicateRefreshes(server: FaultyServer): number {
  const sent = server.requestsTo('token').flatMap(({ form }) => form?.['refresh_token'] ?? []);
  return sent.length - new Set(sent).size;
}

const COLUMNS = ['tries', 'lost', 'faults', 'duplicates'] as const;
const NAME_WIDTH = 44;
const WIDTH = 12;

/** The tallies as a table of plain text. */
export function tableOf(tallies: readonly Tally[]): string {
  const head = ''.padEnd(NAME_WIDTH) + COLUMNS.map((name) => name.padStart(WIDTH)).join('');
  const rows = tallies.map(
    (tally) =>
      tally.name.padEnd(NAME_WIDTH) + COLUMNS.map((name) => String(tally[name] ?? '').padStart(WIDTH)).join(''),
  );
  return [head, ...rows].join('\n');
}
