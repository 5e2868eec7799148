import { fileFailureText } from '../clientConfigText.ts';
import { shownName } from '../configActions/shownName.ts';
import { t } from '../localize.ts';
import { withoutLinks } from '../untrustedText.ts';
import type { Imported } from './takeServers.ts';

/** What is said once servers were taken. */
export function importedText(imported: Imported): string {
  const { added, failures, hasBackups, moved, routedFiles, stillWritten, versionedFiles } = imported;
  const gone = moved.filter(({ id }) => !stillWritten.has(id));
  const [first] = added;
  const files = routedFiles.join(', ');
  return [
    ...(first === undefined ? [] : [addedText(withoutLinks(first.name), added.length)]),
    ...(gone.length === 0 ? [] : [movedText(gone.map(({ name }) => withoutLinks(name)))]),
    ...moved.flatMap(({ id, name }) => {
      const still = stillWritten.get(id);
      return still === undefined ? [] : [keptText(withoutLinks(name), still.join(', '))];
    }),
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

function keptText(name: string, files: string): string {
  return t('The token of {0} is in the keychain now, and also still in {1}.', name, files);
}

function versionedText(files: string): string {
  return t('{0} is under version control, whose history may still have the token: replace it at the server.', files);
}

function failureText(problem: string, name: string, shown: string): string {
  return problem === 'broken'
    ? t('{0} was left as it is in {1}, since there is an error in the file.', name, shown)
    : fileFailureText(problem, shown);
}
