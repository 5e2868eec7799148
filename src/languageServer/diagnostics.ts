import { type Diagnostic, DiagnosticSeverity } from 'vscode-languageserver/node';
import { t } from '../vscode/localize.ts';
import { rangeIn, type ConfigDocument } from './configDocument.ts';
import type { Finding } from './findings.ts';

/** As many as the editor shows of one file. */
const MOST_DIAGNOSTICS = 1000;

/** The findings as the editor takes them. */
export function diagnosticsOf(document: ConfigDocument, findings: readonly Finding[]): Diagnostic[] {
  return findings.slice(0, MOST_DIAGNOSTICS).map((finding) => ({
    range: rangeIn(document, finding.range),
    severity: severityOf(finding),
    code: finding.code,
    source: 'Scopekeeper',
    message: messageOf(finding),
  }));
}

function severityOf(finding: Finding): DiagnosticSeverity {
  switch (finding.code) {
    case 'plain-http':
      return DiagnosticSeverity.Warning;
  }
}

function messageOf(finding: Finding): string {
  switch (finding.code) {
    case 'plain-http':
      return t('Anybody on the way to {0} can read and change what is sent by plain http, tokens too.', finding.host);
  }
}
