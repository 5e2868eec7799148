import { type Diagnostic, DiagnosticSeverity } from 'vscode-languageserver/node';
import { t } from '../vscode/localize.ts';
import { withoutLinks } from '../vscode/untrustedText.ts';
import { rangeIn, type ConfigDocument } from './configDocument.ts';
import type { Finding } from './findings.ts';

/** As many as the editor shows of one file. */
const MOST_DIAGNOSTICS = 1000;

/** The findings as the editor takes them. */
export function diagnosticsOf(document: ConfigDocument, findings: readonly Finding[]): Diagnostic[] {
  return findings.slice(0, MOST_DIAGNOSTICS).map((finding): Diagnostic => {
    const diagnostic: Diagnostic = {
      range: rangeIn(document, finding.range),
      severity: severityOf(finding),
      code: finding.code.replaceAll('_', '-'),
      source: 'Scopekeeper',
      message: messageOf(finding, document.client.name),
    };
    if (finding.code === 'same-server-twice') {
      const { name, nameRange } = finding.first;
      const location = { uri: document.document.uri, range: rangeIn(document, nameRange) };
      diagnostic.relatedInformation = [{ location, message: t('{0} is here', withoutLinks(name)) }];
    }
    return diagnostic;
  });
}

function severityOf(finding: Finding): DiagnosticSeverity {
  switch (finding.code) {
    case 'not-routed':
      return DiagnosticSeverity.Hint;
    case 'unknown-key':
      return finding.meant === undefined ? DiagnosticSeverity.Information : DiagnosticSeverity.Warning;
    case 'unknown-value':
      return DiagnosticSeverity.Information;
    case 'file-comment':
    case 'file-trailing_comma':
    case 'file-syntax':
    case 'file-not_an_object':
      return DiagnosticSeverity.Error;
    default:
      return DiagnosticSeverity.Warning;
  }
}

/** Never holds a secret, nor a URL with one. */
function messageOf(finding: Finding, client: string): string {
  switch (finding.code) {
    case 'token-in-file':
      if (finding.place === 'client_secret') {
        return t(
          'The secret of an OAuth client is written in this file, where whoever reads the file has it: {0}.',
          withoutLinks(finding.name),
        );
      }
      return finding.place === 'variable_name'
        ? t('This looks like a token. {0} takes the name of an environment variable here.', client)
        : t('A token is written in this file, where whoever reads the file has it: {0}.', withoutLinks(finding.name));
    case 'token-in-url':
      return finding.place === 'query'
        ? t('A token is written in this URL, and URLs end up in logs: {0}.', withoutLinks(finding.name))
        : t('A name and a password are written in this URL, and URLs end up in logs.');
    case 'plain-http':
      return t('Anybody on the way to {0} can read and change what is sent by plain http, tokens too.', finding.host);
    case 'no-url':
      return t('This is no URL. It begins with https://.');
    case 'unknown-key':
      return finding.meant === undefined
        ? t('{0} does not say what it would do with “{1}” here.', client, withoutLinks(finding.key))
        : t('{0} does not know “{1}” here. Did you mean “{2}”?', client, withoutLinks(finding.key), finding.meant);
    case 'unknown-value':
      return t('{0} takes one of these here: {1}.', client, finding.values.join(', '));
    case 'wrong-type':
      return wrongTypeText(finding.expected, client, withoutLinks(finding.key));
    case 'same-server-twice':
      return t('This is the same server as {0}, so {1} has its tools twice.', withoutLinks(finding.first.name), client);
    case 'not-routed':
      return t(
        'Scopekeeper has a connection to this server: {0}. {1} does not use it.',
        withoutLinks(finding.connection),
        client,
      );
    case 'file-comment':
      return t('{0} takes a file with a comment for broken.', client);
    case 'file-trailing_comma':
      return t('{0} takes a file with a comma after the last element for broken.', client);
    case 'file-syntax':
      return t('{0} cannot read the file from here on.', client);
    case 'file-duplicate':
      return t('This name is there twice, so {0} does not see one of them.', client);
    case 'file-not_an_object':
      return t('{0} expects an object with the servers by their names here.', client);
  }
}

function wrongTypeText(
  expected: Extract<Finding, { code: 'wrong-type' }>['expected'],
  client: string,
  key: string,
): string {
  switch (expected) {
    case 'string':
    case 'any':
      return t('{0} takes a text for “{1}”.', client, key);
    case 'number':
      return t('{0} takes a number for “{1}”.', client, key);
    case 'boolean':
      return t('{0} takes true or false for “{1}”.', client, key);
    case 'strings':
      return t('{0} takes a list of texts for “{1}”.', client, key);
    case 'texts':
    case 'object':
      return t('{0} takes an object for “{1}”.', client, key);
  }
}
