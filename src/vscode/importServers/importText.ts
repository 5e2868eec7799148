import { fileFailureText } from '../clientConfigText.ts';
import { shownName } from '../configActions/shownName.ts';
import { t } from '../localize.ts';
import { withoutLinks } from '../untrustedText.ts';
import type { Imported } from './takeServers.ts';

/** What is said once servers were taken. */
export function importedText(imported: Imported): string {
  const { added, failures, hasBackups, moved, routedFiles, versionedFiles } = imported;
  const [first] = added;
  const files = routedFiles.join(', ');
  return [
    ...(first === undefined ? [] : [addedText(withoutLinks(first.name), added.length)]),
    ...(moved.length === 0 ? [] : [movedText(moved.map(({ name }) => withoutLinks(name)))]),
    ...(routedFiles.length === 0
      ? []
      : [
          hasBackups
            ? t('Clients go through Scopekeeper in {0}; a backup is beside it.', files)
            : t('Clients go through Scopekeeper in {0}.', files),
        ]),
    ...(versionedFiles.length === 0 ? [] : [versionedText(versionedFiles.join(', '))]),
    ...failures.map(({ place: { file, server }, problem }) => failureText(problem, shownName(server.name), file.shown)),
  ].join(' ');
}

function addedText(name: string, count: number): string {
  return count === 1 ? t('{0} is in the list now.', name) : t('{0} servers are in the list now.', count);
}

function movedText(names: readonly string[]): string {
  return names.length === 1
    ? t('The token of {0} is in the keychain now, and no longer in the file.', names.join(', '))
    : t('The tokens of {0} are in the keychain now, and no longer in the files.', names.join(', '));
}

function versionedText(files: string): string {
  return t('{0} is under version control, whose history may still have the token: replace it at the server.', files);
}

function failureText(problem: string, name: string, shown: string): string {
  return problem === 'broken'
    ? t('{0} was left as it is in {1}, since there is an error in the file.', name, shown)
    : fileFailureText(problem, shown);
}
