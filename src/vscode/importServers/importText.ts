import { fileFailureText, homePath } from '../clientConfigText.ts';
import { shownName } from '../configActions/shownName.ts';
import { t } from '../localize.ts';
import { withoutLinks } from '../untrustedText.ts';
import type { Imported } from './takeServers.ts';

/** What is said once servers were taken. */
export function importedText(imported: Imported, home: string): string {
  const { added, backups, failures, movedTokens, routedFiles, versionedFiles } = imported;
  const [first] = added;
  const shown = (paths: readonly string[]) => paths.map((path) => homePath(path, home)).join(', ');
  return [
    ...(first === undefined ? [] : [addedText(withoutLinks(first.name), added.length)]),
    ...(movedTokens === 0 ? [] : [movedText(movedTokens)]),
    ...(routedFiles.length === 0 ? [] : [t('Clients go through Scopekeeper in {0}.', shown(routedFiles))]),
    ...(backups.length === 0 ? [] : [t('The text before is in {0}.', shown(backups))]),
    ...(versionedFiles.length === 0 ? [] : [versionedText(shown(versionedFiles))]),
    ...failures.map(({ place: { file, server }, problem }) => failureText(problem, shownName(server.name), file.shown)),
  ].join(' ');
}

function addedText(name: string, count: number): string {
  return count === 1 ? t('{0} is in the list now.', name) : t('{0} servers are in the list now.', count);
}

function movedText(count: number): string {
  return count === 1
    ? t('Its token is in the keychain, and no longer in the file.')
    : t('{0} tokens are in the keychain, and no longer in the files.', count);
}

function versionedText(files: string): string {
  return t('{0} is under version control, whose history may still have the token: replace it at the server.', files);
}

function failureText(problem: string, name: string, shown: string): string {
  return problem === 'broken'
    ? t('{0} was left as it is in {1}, since there is an error in the file.', name, shown)
    : fileFailureText(problem, shown);
}
