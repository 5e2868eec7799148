import type { AnyScopekeeperError } from '../errors.ts';

/** What is judged: the rules of the wire up to the sign-in, with what comes before and after them. */
export const JUDGED = [
  'reach',
  'P1',
  'P2',
  'P3',
  'P4',
  'P5',
  'P6',
  'P7',
  'P8',
  'P9',
  'P10',
  'P11',
  'P12',
  'P13',
  'P14',
  'P15',
  'P16',
  'P17',
  'P18',
  'P19',
  'P20',
  'sign_in',
] as const;
export type Judged = (typeof JUDGED)[number];

/**
 * - `worked_around`: not as it should be, and no hindrance to a sign-in.
 * - `not_testable`: only a sign-in shows it, or there is nothing to judge.
 */
export type Verdict = 'passed' | 'broken' | 'worked_around' | 'not_testable';

/** What was seen, of which the words are made. Texts from servers in here are untrusted. */
export type Seen =
  | { readonly type: 'error'; readonly error: AnyScopekeeperError; readonly isLastTime?: true }
  | { readonly type: 'answers'; readonly status: number }
  | {
      readonly type: 'resource_metadata';
      readonly url: string;
      readonly place: 'challenge' | 'learnt' | 'path' | 'root';
    }
  /** A place that the server names has none; another one has. */
  | { readonly type: 'resource_metadata_moved'; readonly named: string; readonly url: string }
  | { readonly type: 'no_resource_metadata' }
  | { readonly type: 'challenge_names_metadata'; readonly url: string }
  | { readonly type: 'challenge_omits_metadata'; readonly isLearnt: boolean }
  | { readonly type: 'same_resource'; readonly resource: string }
  | { readonly type: 'resource_prefix'; readonly resource: string }
  | { readonly type: 'server_metadata'; readonly url: string }
  | { readonly type: 'default_endpoints'; readonly origin: string }
  | { readonly type: 'same_issuer'; readonly issuer: string }
  | { readonly type: 'issuers'; readonly issuers: readonly string[] }
  | { readonly type: 'issuer_skipped'; readonly skipped: string; readonly used: string }
  | { readonly type: 'names_no_issuer'; readonly origin: string }
  | { readonly type: 'challenge'; readonly scheme: string }
  | { readonly type: 'no_challenge' }
  | { readonly type: 'challenge_unreadable' }
  | { readonly type: 'client_entered'; readonly clientId: string }
  | { readonly type: 'client_document' }
  | { readonly type: 'registers'; readonly endpoint: string }
  | { readonly type: 'registration_guessed'; readonly endpoint: string }
  | { readonly type: 'auth_method'; readonly method: string; readonly isRenewable: boolean }
  | { readonly type: 'unknown_auth_methods'; readonly methods: readonly string[] }
  | { readonly type: 'issuer_kept' }
  | { readonly type: 'issuer_moved'; readonly from: string; readonly to: string }
  | { readonly type: 'pkce' }
  | { readonly type: 'pkce_allowed' }
  | { readonly type: 'resource_left_out' }
  | {
      readonly type: 'scopes';
      readonly from: 'challenge' | 'metadata' | 'settings' | 'none';
      readonly scopes: readonly string[];
    }
  | { readonly type: 'iss_advertised' }
  | { readonly type: 'iss_not_advertised' }
  | { readonly type: 'redirects'; readonly offersDevice: boolean }
  | { readonly type: 'authorization_endpoint'; readonly url: string }
  | { readonly type: 'addresses'; readonly hosts: readonly string[] }
  | { readonly type: 'held_last_time' }
  | { readonly type: 'needs_sign_in' }
  | { readonly type: 'not_used' }
  | { readonly type: 'nothing_to_judge' };

/** What came of judging one rule. */
export interface Finding {
  readonly judged: Judged;
  readonly verdict: Verdict;
  readonly seen: Seen;
}

/** Makes a finding. */
export function finding(judged: Judged, verdict: Verdict, seen: Seen): Finding {
  return { judged, verdict, seen };
}
