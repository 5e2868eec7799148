import type { ConfigProblem } from '../../mcpConfig/configServers.ts';
import { shownName } from '../configActions/shownName.ts';
import { homePath } from '../clientConfigText.ts';
import { t } from '../localize.ts';
import { joined } from '../rowText.ts';
import { displayUrl } from '../untrustedText.ts';
import type { FoundFile } from './serverPlaces.ts';
import { type ImportCandidate, isTakeable } from './importCandidates.ts';

/** A row of the preview. */
export type ImportRow =
  | { readonly type: 'separator'; readonly label: string }
  | {
      readonly type: 'candidate';
      readonly candidate: ImportCandidate;
      readonly label: string;
      readonly description: string;
      readonly detail?: string;
      readonly isTicked: boolean;
    }
  | { readonly type: 'broken'; readonly file: FoundFile; readonly offset: number; readonly label: string };

/**
 * The preview: what is broken first, since it may be what the person looks for, then the servers below the file that
 * names them first.
 * @param home the person's home folder
 */
export function importRows(
  candidates: readonly ImportCandidate[],
  files: readonly FoundFile[],
  home: string,
): readonly ImportRow[] {
  const broken = files.flatMap(brokenRow);
  const rows: ImportRow[] = broken.length === 0 ? [] : [{ type: 'separator', label: t('With an error') }, ...broken];
  const sections = new Set(candidates.flatMap(({ places: [first] }) => first?.section ?? []));
  for (const section of sections) {
    const group = candidates.filter(({ places: [first] }) => first?.section === section);
    const file = group[0]?.places[0]?.file;
    const folder = section.folder === undefined ? undefined : t('for {0}', homePath(section.folder, home));
    rows.push({ type: 'separator', label: joined(file?.client.name, file?.shown, folder) });
    rows.push(...group.map(candidateRow));
  }
  return rows;
}

function candidateRow(candidate: ImportCandidate): ImportRow {
  const { name, places, serverUrl, state } = candidate;
  const [, ...others] = places;
  const elsewhere = new Set(others.map(({ file }) => joined(file.client.name, file.shown)));
  const detail = joined(
    stateBadge(candidate),
    places.some(({ tokens }) => tokens.length > 0) ? t('token in the file') : undefined,
    elsewhere.size > 0 ? t('also in {0}', [...elsewhere].join('; ')) : undefined,
  );
  return {
    type: 'candidate',
    candidate,
    label: shownName(name),
    description: state === 'reference' || state === 'invalid' ? asWritten(serverUrl) : displayUrl(serverUrl),
    // On a line of its own: the first one ends where the name of the file begins.
    ...(detail !== '' && { detail }),
    isTicked: state === 'new',
  };
}

/** What is no whole URL, so that nobody can tell what of it is secret: without what may be. */
function asWritten(text: string): string {
  return shownName(text.replace(/[?#].*$/s, '?…').replace(/\/\/[^/]*@/, '//'));
}

function stateBadge({ state }: ImportCandidate): string | undefined {
  switch (state) {
    case 'new':
      return undefined;
    case 'connected':
      return t('already connected');
    case 'routed':
      return t('used through Scopekeeper already');
    case 'insecure':
      return t('plain http');
    case 'reference':
      return t('variable in its URL');
    case 'invalid':
      return t('not a URL');
  }
}

/** Why a row does not let itself be ticked. Undefined for one that does. */
export function refusalText(row: ImportRow): string | undefined {
  if (row.type === 'separator') return undefined;
  if (row.type === 'broken') return t('Mend the file, then import again');
  const { candidate } = row;
  if (isTakeable(candidate)) return undefined;
  switch (candidate.state) {
    case 'routed':
      return t('{0} goes through Scopekeeper already', row.label);
    case 'insecure':
      return t('{0} is plain http. Write https into its file', row.label);
    case 'reference':
      return t('Only its client knows the whole URL of {0}', row.label);
    default:
      return t('{0} has no URL that could be connected', row.label);
  }
}

function brokenRow(file: FoundFile): ImportRow[] {
  if (file.failure !== undefined) {
    return [{ type: 'broken', file, offset: 0, label: t('{0} could not be read ({1})', file.shown, file.failure) }];
  }
  const problem = file.sections.flatMap(({ problems }) => problems)[0];
  if (problem === undefined) return [];
  const { offset } = problem.range;
  const line = file.text.slice(0, offset).split('\n').length;
  return [{ type: 'broken', file, offset, label: problemText(problem, file, line) }];
}

function problemText({ type }: ConfigProblem, { client, shown }: FoundFile, line: number): string {
  switch (type) {
    case 'syntax':
    case 'unusual':
      return t('{0} has an error in line {1}', shown, line);
    case 'comment':
    case 'trailing_comma':
      return t('{0} has a comment or a comma too many in line {1}, which {2} does not read', shown, line, client.name);
    case 'duplicate':
      return t('{0} has the same name twice, again in line {1}', shown, line);
    case 'not_an_object':
      return t('{0} has something else in line {1} where servers should be', shown, line);
  }
}
