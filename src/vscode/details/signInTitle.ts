import type { ActivityEntry } from '../../connections/activity.ts';
import { difference } from '../../oauth/scopeSet.ts';
import { t } from '../localize.ts';
import { eventText } from '../treeText.ts';

/** What a sign-in was. */
export interface SignInTitle {
  readonly title: string;
  /** The scopes that it brought beyond those that there were: then it was a step-up (P22). */
  readonly gained: readonly string[];
}

/**
 * What to call a sign-in.
 * @param before what was granted until then; undefined when nobody was signed in
 */
export function signInTitle({ scopes = [] }: ActivityEntry, before: readonly string[] | undefined): SignInTitle {
  if (before === undefined) return { title: eventText({ type: 'connected' }), gained: [] };
  const gained = difference(scopes, before);
  return { title: gained.length > 0 ? t('Signed in for more scopes') : t('Signed in again'), gained };
}
