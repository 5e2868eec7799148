import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { ConfigClient } from '../../src/mcpConfig/configClient.ts';

const LOOK_EVERY_MS = 50;
const TIMEOUT_MS = 10_000;
/** More than any test has. */
const ALL_LENSES = 1000;

/** Looks until there is something to be seen: the editor tells nobody when a provider would answer otherwise. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + TIMEOUT_MS; Date.now() < deadline; await delay(LOOK_EVERY_MS)) {
    const seen = await look();
    if (seen !== undefined) return seen;
  }
  throw new Error(`Waited ${TIMEOUT_MS} ms for ${what}.`);
}

/** Where a file of the client lies below `folder`, which is workspace and home folder at once. */
export function placeOf(client: ConfigClient, folder: string): string {
  const files = client.files({ platform: 'linux', home: folder, workspace: folder });
  const file = files.find(({ scope }) => scope === 'workspace') ?? files[0];
  if (file === undefined) throw new Error(`${client.name} has no file.`);
  return file.path;
}

/** Writes a file and shows it. */
export async function show(file: string, text: string): Promise<vscode.TextDocument> {
  await mkdir(path.dirname(file), { recursive: true });
  const isOpen = vscode.workspace.textDocuments.some(({ uri }) => uri.fsPath === file);
  // What is written beside an open document comes into it at any time.
  if (!isOpen) await writeFile(file, text);
  const document = await vscode.workspace.openTextDocument(file);
  await vscode.window.showTextDocument(document, { preview: false });
  if (isOpen) {
    await replaceAll(document, text);
    await document.save();
  }
  return document;
}

/** Gives the document another text, as an edit of the person. */
export async function replaceAll(document: vscode.TextDocument, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  const end = document.positionAt(document.getText().length);
  edit.replace(document.uri, new vscode.Range(new vscode.Position(0, 0), end), text);
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error(`${document.fileName} cannot be edited.`);
}

/** Our lenses as `server: title`; each lies over the name of its server. */
export async function lensesOf(document: vscode.TextDocument): Promise<string[]> {
  return (await codeLenses(document)).map(
    ({ range, command }) => `${document.getText(range).replaceAll('"', '')}: ${command?.title}`,
  );
}

/** Our lenses: VS Code has some of its own in its file. */
export async function codeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    document.uri,
    ALL_LENSES,
  );
  return lenses.filter(({ command }) => command?.command.startsWith('scopekeeper.') === true);
}

/** Our diagnostics. */
export function diagnosticsOf({ uri }: vscode.TextDocument): vscode.Diagnostic[] {
  return vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'Scopekeeper');
}

/** The code of a diagnostic, whether or not it links to an explanation. */
export function codeOf({ code }: vscode.Diagnostic): string {
  return String(typeof code === 'object' ? code.value : code);
}

/** Our quick fixes for a diagnostic. */
export async function quickFixes(
  document: vscode.TextDocument,
  { range }: vscode.Diagnostic,
): Promise<vscode.CodeAction[]> {
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    document.uri,
    range,
    vscode.CodeActionKind.QuickFix.value,
  );
  return actions.filter(({ diagnostics = [] }) => diagnostics.some(({ source }) => source === 'Scopekeeper'));
}

/** What is shown when the mouse rests on the first place where `text` is. */
export async function hoverOver(document: vscode.TextDocument, text: string): Promise<string> {
  const position = document.positionAt(document.getText().indexOf(text) + 1);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    position,
  );
  return hovers
    .flatMap(({ contents }) => contents)
    .map((content) => (typeof content === 'string' ? content : content.value))
    .join('\n');
}

/** What is offered right after the first place where `text` is. */
export async function completionsAfter(
  document: vscode.TextDocument,
  text: string,
): Promise<readonly vscode.CompletionItem[]> {
  const position = document.positionAt(document.getText().indexOf(text) + text.length);
  const list = await vscode.commands.executeCommand<vscode.CompletionList>(
    'vscode.executeCompletionItemProvider',
    document.uri,
    position,
  );
  return list.items;
}
