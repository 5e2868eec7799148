import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { ClientId, ConfigClient } from '../../src/mcpConfig/configClient.ts';
import { fileShapes } from '../unit/mcpConfig/fileShapes.ts';

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

/**
 * A file of a client as people have it.
 * @param url of its first server, instead of what is there
 */
export function shapeOf(client: ClientId, url?: string): string {
  const text = fileShapes.find((shape) => shape.client === client)?.text ?? '';
  return url === undefined ? text : text.replace(/https:[^"]+/, url);
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

/** All of them, once one of them is as expected. */
export async function lenses(document: vscode.TextDocument, expected: RegExp | string): Promise<string[]> {
  const isExpected = (lens: string) => (typeof expected === 'string' ? lens === expected : expected.test(lens));
  return eventually(`the lens ${expected} in ${document.fileName}`, async () => {
    const found = await lensesOf(document);
    return found.some(isExpected) ? found : undefined;
  });
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
