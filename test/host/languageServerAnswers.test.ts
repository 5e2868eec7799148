import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { clientOf } from '../unit/mcpConfig/clientOf.ts';
import { diagnosticsOf, eventually, lenses, placeOf, replaceAll, shapeOf, show } from './configDocument.ts';
import { connectSample } from './connectedSample.ts';

/** More than any place has; of so many the edits are made out. */
const MOST_FIXES = 100;

describe('what the language server says of a configuration file', () => {
  let sample: SampleServer;
  let connection: PublicConnection;
  let workspace = '';

  before(async () => {
    ({ sample, connection } = await connectSample());
    workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    assert.notEqual(workspace, '');
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await sample.close();
  });

  it('says what was granted where the mouse rests, as plain text', async () => {
    const document = await show(placeOf(clientOf('vscode'), workspace), shapeOf('vscode', sample.mcpUrl));
    await lenses(document, /^github: ● connected/);
    const hover = await hoverOver(document, '"github"');
    assert.match(hover, /notes:read/);
    assert.doesNotMatch(hover, /command:/);
  });

  it('offers the servers that it knows', async () => {
    const document = await show(placeOf(clientOf('cursor'), workspace), '{ "mcpServers": { "" } }');
    const labels = await eventually('the server to be offered', async () => {
      const items = await completionsAfter(document, '"mcpServers": { "');
      const found = items.map(({ label }) => (typeof label === 'string' ? label : label.label));
      return found.some((label) => label.includes(connection.name)) ? found : undefined;
    });
    assert.ok(labels.length > 0);
  });

  it('tells what is wrong where it is, and mends it in a way that can be undone', async () => {
    const file = placeOf(clientOf('vscode'), workspace);
    const text = '{\n\t"servers": {\n\t\t"far": { "type": "http", "url": "http://far.example/mcp" }, // kept\n\t}\n}\n';
    const document = await show(file, text);
    const diagnostic = await eventually('plain http to be told', async () =>
      diagnosticsOf(document).find((one) => codeOf(one) === 'plain-http'),
    );
    assert.equal(document.getText(diagnostic.range), 'http://');
    const fix = (await quickFixes(document, diagnostic)).find(({ title }) => title === 'Use https');
    assert.ok(fix?.edit, 'there is no quick fix');
    assert.equal(await vscode.workspace.applyEdit(fix.edit), true);
    assert.equal(document.getText(), text.replace('http://', 'https://'));
    await eventually('it to be well', async () => diagnosticsOf(document).length === 0 || undefined);
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), text);
    assert.equal(await readFile(file, 'utf8'), text, 'the person saves it, and nobody else');
    await document.save();
  });

  it('P36 offers to take a written token out of the file, at a click only', async () => {
    const file = placeOf(clientOf('windsurf'), workspace);
    const headers = { Authorization: 'Bearer not-a-real-token-0123456789' };
    const entry = { serverUrl: 'https://tokens.example/mcp', headers };
    const document = await show(file, JSON.stringify({ mcpServers: { it: entry } }, undefined, 2));
    const text = document.getText();
    const diagnostic = await eventually('the token to be found', async () =>
      diagnosticsOf(document).find(({ range }) => document.getText(range).includes('not-a-real-token')),
    );
    assert.doesNotMatch(diagnostic.message, /not-a-real-token/);
    const commands = (await quickFixes(document, diagnostic)).map(({ command }) => command);
    const move = commands.find((command) => command?.command === 'scopekeeper.moveTokenToKeychain');
    assert.deepEqual(move?.arguments, [{ uri: document.uri.toString(), client: 'windsurf', name: 'it' }]);
    assert.equal(document.getText(), text);
  });

  it('checks the file of the editor itself, which it opens by a scheme of its own', async () => {
    await vscode.commands.executeCommand('workbench.mcp.openUserMcpJson');
    const document = await eventually('the file to be open', async () => {
      const shown = vscode.window.activeTextEditor?.document;
      return shown?.uri.path.endsWith('/User/mcp.json') === true ? shown : undefined;
    });
    await replaceAll(document, '{ "servers": { "far": { "type": "http", "url": "http://far.example/mcp" } } }');
    await lenses(document, 'far: Connect');
    await replaceAll(document, '{ "servers": {} }');
    await document.save();
  });
});

/** The code of a diagnostic, whether or not it links to an explanation. */
function codeOf({ code }: vscode.Diagnostic): string {
  return String(typeof code === 'object' ? code.value : code);
}

/** The quick fixes for a diagnostic, ours and others. */
async function quickFixes(document: vscode.TextDocument, { range }: vscode.Diagnostic): Promise<vscode.CodeAction[]> {
  return vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    document.uri,
    range,
    vscode.CodeActionKind.QuickFix.value,
    MOST_FIXES,
  );
}

/** What is shown when the mouse rests on the first place where `text` is, without the escapes of Markdown. */
async function hoverOver(document: vscode.TextDocument, text: string): Promise<string> {
  const position = document.positionAt(document.getText().indexOf(text) + 1);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    position,
  );
  return hovers
    .flatMap(({ contents }) => contents)
    .map((content) => (typeof content === 'string' ? content : content.value))
    .join('\n')
    .replaceAll('\\', '');
}

/** What is offered right after the first place where `text` is. */
async function completionsAfter(
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
