import { t } from '../localize.ts';
import { markdownText, withoutRandomParts } from '../untrustedText.ts';
import type { Report, ReportRequest, ReportRow } from './report.ts';

/**
 * A report as Markdown, to be pasted into an issue at the server's makers. What servers said is escaped; what the person
 * calls the connection, and parts of URLs that only they may know, are left out.
 * @param version of this extension.
 */
export function reportMarkdown(report: Report, version: string): string {
  const { headline, host, lastSignIn, madeAt, requests, rows, serverUrl, tookMs } = report;
  return [
    `# ${t('Diagnosis of {0}', cellText(host))}`,
    `**${cellText(headline)}**`,
    `${t('Server')}: ${cellText(serverUrl)}`,
    `## ${t('Rules')}`,
    table([t('Result'), t('Rule'), t('Where it is written'), t('What was seen')], rows.map(ruleCells)),
    ...requestSection(t('Requests'), requests),
    ...requestSection(t('Requests of the last sign-in'), lastSignIn),
    `_${t(
      'Made by Scopekeeper {0} at {1} in {2} ms, without signing in. Secrets are told by their length only.',
      markdownText(version),
      markdownText(new Date(madeAt).toISOString()),
      Math.round(tookMs),
    )}_`,
    '',
  ].join('\n\n');
}

function ruleCells({ sign, source = '', text, title, verdictWords }: ReportRow): readonly string[] {
  return [`${sign} ${verdictWords}`, title, source, text];
}

function requestSection(title: string, requests: readonly ReportRequest[]): readonly string[] {
  if (requests.length === 0) return [];
  const head = ['#', t('What for'), t('Request'), t('Answer'), t('Time'), t('What was said')];
  return [`## ${title}`, table(head, requests.map(requestCells))];
}

function requestCells({
  answer,
  duration,
  number,
  purpose,
  received,
  request,
  sent,
}: ReportRequest): readonly string[] {
  const said = [...sent.map((field) => ['→', field] as const), ...received.map((field) => ['←', field] as const)];
  const fields = said.map(([way, { name, value }]) => `${way} ${name}: ${value}`).join('; ');
  return [String(number), purpose, request, answer, duration, fields];
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map((cells) => line(cells.map(cellText)))].join('\n');
}

function cellText(text: string): string {
  return markdownText(withoutRandomParts(text));
}
