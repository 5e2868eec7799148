import { exactOptional, number, object, safeParse, string } from 'valibot';
import { type CodeAction, CodeActionKind, type CodeActionParams, type TextEdit } from 'vscode-languageserver/node';
import { removeServer } from '../mcpConfig/configServers.ts';
import { formatOf } from '../mcpConfig/configSources.ts';
import { cutLines, smallestEdit } from '../mcpConfig/textEdits.ts';
import { t } from '../vscode/localize.ts';
import { commandIds } from './commands.ts';
import { type ConfigDocument, rangeIn, referenceTo } from './configDocument.ts';
import { diagnosticsOf } from './diagnostics.ts';
import type { Finding } from './findings.ts';

/** Comes back from the editor with an action whose edit takes a while to make. */
const removalSchema = object({
  uri: string(),
  version: number(),
  name: string(),
  folder: exactOptional(string()),
});

/** What can be done about what was found in a part of a document. */
export function quickFixesOf(
  document: ConfigDocument,
  findings: readonly Finding[],
  { range, context }: Pick<CodeActionParams, 'range' | 'context'>,
): CodeAction[] {
  const { only } = context;
  if (only !== undefined && !only.some((kind) => isWithin(CodeActionKind.QuickFix, kind))) return [];
  const from = document.document.offsetAt(range.start);
  const to = document.document.offsetAt(range.end);
  return findings
    .filter((finding) => finding.range.offset <= to && finding.range.offset + finding.range.length >= from)
    .flatMap((finding) => fixesOf(document, finding));
}

/** Whether a kind of action is among those that are asked for: `quickfix` is by `quickfix`, and by nothing. */
function isWithin(kind: string, asked: string): boolean {
  return asked === '' || kind === asked || kind.startsWith(`${asked}.`);
}

function fixesOf(document: ConfigDocument, finding: Finding): CodeAction[] {
  const action = (title: string, parts: Partial<CodeAction>): CodeAction => ({
    title,
    kind: CodeActionKind.QuickFix,
    diagnostics: diagnosticsOf(document, [finding]),
    ...parts,
  });
  const edited = (...edits: TextEdit[]): Partial<CodeAction> => ({
    edit: { changes: { [document.document.uri]: edits } },
    isPreferred: true,
  });
  switch (finding.code) {
    case 'token-in-file':
    case 'token-in-url': {
      if (!finding.canMove) return [];
      const title = t('Move the Token to the Keychain…');
      const command = { title, command: commandIds.moveToken, arguments: [referenceTo(document, finding.server)] };
      return [action(title, { command, isPreferred: true })];
    }
    case 'plain-http': {
      const scheme = { offset: finding.range.offset, length: 'http'.length };
      if (!/^http$/i.test(textAt(document, scheme))) return [];
      return [action(t('Use https'), edited({ range: rangeIn(document, scheme), newText: 'https' }))];
    }
    case 'unknown-key': {
      const { meant, range } = finding;
      if (meant === undefined) return [];
      const isQuoted = /^["']/.test(textAt(document, range));
      const newText = isQuoted ? JSON.stringify(meant) : meant;
      return [action(t('Change to “{0}”', meant), edited({ range: rangeIn(document, range), newText }))];
    }
    case 'same-server-twice': {
      const { uri, version } = document.document;
      const { name, folder } = finding.server;
      const data = { uri, version, name, ...(folder !== undefined && { folder }) };
      return [action(t('Remove {0}', name), { data })];
    }
    case 'not-routed': {
      const title = t('Use through Scopekeeper');
      const command = { title, command: commandIds.route, arguments: [referenceTo(document, finding.server)] };
      return [action(title, { command })];
    }
    case 'file-comment': {
      const { text, ...range } = cutLines(document.document.getText(), finding.range);
      return [action(t('Remove the Comment'), edited({ range: rangeIn(document, range), newText: text }))];
    }
    case 'file-trailing_comma':
      return [action(t('Remove the Comma'), edited({ range: rangeIn(document, finding.range), newText: '' }))];
    default:
      return [];
  }
}

/**
 * Makes the edit of an action that {@link quickFixesOf} gave without one.
 * @param find gives the document of a URI as it is now
 */
export function withEdit(action: CodeAction, find: (uri: string) => ConfigDocument | undefined): CodeAction {
  const asked = safeParse(removalSchema, action.data);
  if (!asked.success) return action;
  const { uri, version, name, folder } = asked.output;
  const document = find(uri);
  // Of a text that has changed meanwhile, the action is out of date.
  if (document?.document.version !== version) return action;
  const before = document.document.getText();
  const removed = removeServer(before, formatOf(document.client, folder), name);
  if (removed.type !== 'edited') return action;
  const { text, ...range } = smallestEdit(before, removed.text);
  return { ...action, edit: { changes: { [uri]: [{ range: rangeIn(document, range), newText: text }] } } };
}

function textAt({ document }: ConfigDocument, { offset, length }: { offset: number; length: number }): string {
  return document.getText().slice(offset, offset + length);
}
