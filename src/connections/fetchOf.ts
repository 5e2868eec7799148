import type { Fetch } from '../oauth/fetchPort.ts';
import type { ConnectionSettings } from './connection.ts';

/** The {@link Fetch} of one connection: what the person has set for it goes with every request. */
export function fetchOf(fetch: Fetch, { caFile }: ConnectionSettings): Fetch {
  return caFile === undefined ? fetch : async (url, request) => fetch(url, { ...request, caFile });
}
