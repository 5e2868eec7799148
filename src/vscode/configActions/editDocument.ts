import * as vscode from 'vscode';
import type { ConfigEdit } from '../../mcpConfig/configServers.ts';
import { smallestEdit } from '../../mcpConfig/textEdits.ts';
import type { Saved } from './editedText.ts';

/** What became of the edit of a document. */
export type DocumentEdited =
  | { readonly type: 'edited'; readonly saved: Saved }
  /** The editor did not take the edit, since the document was changed at the same time. */
  | { readonly type: 'changed' }
  | Exclude<ConfigEdit, { readonly type: 'edited' }>;

/**
 * Edits a document that is open, in one step that can be undone, and saves it unless it had other changes before: what
 * the person has not saved is theirs to save.
 * @param edit makes the new text of the one that is there now
 */
export async function editDocument(
  document: vscode.TextDocument,
  edit: (text: string) => ConfigEdit,
): Promise<DocumentEdited> {
  const wasDirty = document.isDirty;
  const before = document.getText();
  const after = edit(before);
  if (after.type !== 'edited') return after;
  const { offset, length, text } = smallestEdit(before, after.text);
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
  const change = new vscode.WorkspaceEdit();
  change.replace(document.uri, range, text);
  if (!(await vscode.workspace.applyEdit(change))) return { type: 'changed' };
  if (wasDirty) return { type: 'edited', saved: 'left' };
  return { type: 'edited', saved: (await document.save()) ? 'saved' : 'failed' };
}
