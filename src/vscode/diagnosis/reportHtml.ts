import { escapeHtml } from '../../oauth/escapeHtml.ts';
import type { TraceField } from '../../connections/trace.ts';
import { t, userLanguage } from '../localize.ts';
import { absoluteText } from '../relativeTime.ts';
import type { Report, ReportButton, ReportRequest, ReportRow } from './report.ts';
import { REPORT_STYLE } from './reportStyle.ts';

/**
 * A report as a page that runs no script and loads nothing: its buttons are links to commands. What servers said is
 * escaped.
 * @param nonce fresh for each page.
 */
export function reportHtml(report: Report, nonce: string): string {
  const { headline, lastSignIn, madeAt, name, nextStep, requests, rows, serverUrl, tookMs, verdict } = report;
  const title = t('Diagnosis of {0}', name);
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  const [sign, words] = [rows.find((row) => row.verdict === verdict)?.sign ?? '✓', verdictOf(report)];
  return `<!DOCTYPE html>
<html lang="${escapeHtml(userLanguage())}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style nonce="${nonce}">${REPORT_STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="url quiet">${escapeHtml(serverUrl)}</p>
<div class="cause ${verdict}">
<span class="sign" role="img" aria-label="${escapeHtml(words)}">${sign}</span>
<div>
<p class="headline">${escapeHtml(headline)}</p>
${nextStep === undefined ? '' : `<p>${escapeHtml(nextStep)}</p>`}
</div>
</div>
<nav aria-label="${escapeHtml(t('What you can do'))}">${buttonsHtml(report)}</nav>
<h2>${escapeHtml(t('Rules'))}</h2>
<table role="table">
<thead role="rowgroup"><tr role="row">${[t('Result'), t('Rule'), t('What was seen')].map((text) => `<th scope="col" role="columnheader">${escapeHtml(text)}</th>`).join('')}</tr></thead>
<tbody role="rowgroup">${rows.map(rowHtml).join('\n')}</tbody>
</table>
${requestsHtml(t('Requests'), requests)}
${requestsHtml(t('Requests of the last sign-in'), lastSignIn)}
<p class="quiet">${escapeHtml(
    t(
      'Made {0} in {1} ms, without signing in and without registering. Secrets are told by their length only.',
      absoluteText(madeAt),
      Math.round(tookMs),
    ),
  )}</p>
</main>
</body>
</html>`;
}

function verdictOf({ rows, verdict }: Report): string {
  return rows.find((row) => row.verdict === verdict)?.verdictWords ?? '';
}

/** The first one is the one to press, where there is something to be done. */
function buttonsHtml({ buttons, verdict }: Report): string {
  return buttons.map((button, index) => buttonHtml(button, index === 0 && verdict === 'broken')).join(' ');
}

function buttonHtml({ args, command, label }: ReportButton, isPrimary: boolean): string {
  const query = args.length === 0 ? '' : `?${encodeURIComponent(JSON.stringify(args))}`;
  const classes = isPrimary ? 'button primary' : 'button';
  return `<a class="${classes}" role="button" href="${escapeHtml(`command:${command}${query}`)}">${escapeHtml(label)}</a>`;
}

function rowHtml({ button, nextStep, sign, source, text, title, verdict, verdictWords }: ReportRow): string {
  const about = source === undefined ? '' : `<span class="source quiet">${escapeHtml(source)}</span>`;
  const next = nextStep === undefined ? '' : `<p class="quiet">${escapeHtml(nextStep)}</p>`;
  return `<tr role="row">
<td role="cell" class="verdict ${verdict}"><span class="sign" aria-hidden="true">${sign}</span> <span class="words">${escapeHtml(verdictWords)}</span></td>
<td role="cell" class="rule">${escapeHtml(title)}${about}</td>
<td role="cell"><p>${escapeHtml(text)}</p>${next}${button === undefined ? '' : buttonHtml(button, false)}</td>
</tr>`;
}

function requestsHtml(title: string, requests: readonly ReportRequest[]): string {
  if (requests.length === 0) return '';
  return `<h2>${escapeHtml(title)}</h2>\n${requests.map(requestHtml).join('\n')}`;
}

function requestHtml({ answer, duration, isFault, number, purpose, received, request, sent }: ReportRequest): string {
  const answered = `<span class="answer${isFault ? ' broken' : ''}">${escapeHtml(answer)}</span>`;
  return `<details>
<summary>${number}. ${escapeHtml(purpose)} · <span class="request">${escapeHtml(request)}</span> · ${answered} <span class="quiet">${escapeHtml(duration)}</span></summary>
${fieldsHtml(t('Sent'), sent)}${fieldsHtml(t('Received'), received)}
</details>`;
}

function fieldsHtml(title: string, fields: readonly TraceField[]): string {
  if (fields.length === 0) return '';
  const items = fields.map(({ name, value }) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<h3>${escapeHtml(title)}</h3><dl>${items.join('')}</dl>`;
}
