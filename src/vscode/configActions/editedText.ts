import type { ConfigClient } from '../../mcpConfig/configClient.ts';
import { signInStepText } from '../clientConfigText.ts';
import { t } from '../localize.ts';

/**
 * Whether an edit is on disk.
 * - `left`: the file had other changes before, which the person has not saved.
 * - `failed`: the editor could not save it.
 */
export type Saved = 'saved' | 'left' | 'failed';

/** What became of an edit of a file, for its message. */
export interface Edited {
  readonly name: string;
  readonly client: ConfigClient;
  readonly shown: string;
  readonly saved: Saved;
  /** Whether a token went out of it, and where to. */
  readonly token: 'none' | 'moved' | 'dropped';
  readonly isVersioned: boolean;
}

/** What is said of a file that was edited. */
export function editedText({ name, client, shown, saved, token, isVersioned }: Edited): string {
  return [
    token === 'moved'
      ? t('The token of {0} is in the keychain now, and no longer in {1}.', name, shown)
      : t('{0} goes through Scopekeeper now in {1}.', name, shown),
    ...(token === 'dropped' ? [t('The token that was there is gone from the file.')] : []),
    ...savedText(saved),
    ...(token === 'none' ? [] : [t('Undo brings the token back into the file.')]),
    ...(token !== 'none' && isVersioned
      ? [t('The file is under version control, whose history may still have the token: replace it at the server.')]
      : []),
    signInStepText(client, name),
  ].join(' ');
}

function savedText(saved: Saved): string[] {
  switch (saved) {
    case 'saved':
      return [];
    case 'left':
      return [t('The file is not saved yet, since it had other changes.')];
    case 'failed':
      return [t('The file could not be saved: save it yourself.')];
  }
}
