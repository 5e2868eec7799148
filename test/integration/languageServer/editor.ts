import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createMessageConnection, type MessageConnection } from 'vscode-jsonrpc/node';
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  CompletionList,
  Diagnostic,
  DocumentLink,
  Hover,
  InitializeResult,
  Position,
  PublishDiagnosticsParams,
  Range,
  TextDocumentContentChangeEvent,
} from 'vscode-languageserver/node';
import type { Initialization, ServerStatus } from '../../../src/mcpConfig/languageProtocol.ts';
import { cleanEnvironment, exitCodeOf } from '../../stand/processes.ts';
import { recentNode } from '../../stand/recentNode.ts';

const BUNDLE = 'out/test/languageServer.cjs';

const english: Initialization = {
  language: 'en',
  environment: { platform: 'linux', home: '/home/me', workspace: '/home/me/site' },
};

/** 0 for a thread that has just ended. */
function cpuNsOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** An editor that speaks LSP to the bundle of the language server, as it is packed, in a process of its own. */
export class Editor {
  readonly #child: ChildProcess;
  readonly #connection: MessageConnection;
  readonly #published = new Map<string, PublishDiagnosticsParams>();
  readonly #waiting = new Set<() => void>();
  readonly #versions = new Map<string, number>();
  /** How often the server has asked to be asked for its lenses anew. */
  lensRefreshes = 0;
  /** All that the server wrote beside the protocol. */
  stderr = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    const { stdout, stdin, stderr } = child;
    assert.ok(stdout && stdin && stderr);
    stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#connection = createMessageConnection(stdout, stdin);
    this.#connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
      this.#published.set(params.uri, params);
      this.#wake();
    });
    this.#connection.onRequest('workspace/codeLens/refresh', () => {
      this.lensRefreshes += 1;
      this.#wake();
      return null;
    });
    this.#connection.listen();
    child.once('exit', () => this.#wake());
  }

  /** Nanoseconds that the server has used of a processor: unlike the time that passes, not what else the machine does. */
  cpuNs(): number | undefined {
    if (process.platform !== 'linux') return undefined;
    const tasks = `/proc/${this.#child.pid}/task`;
    return readdirSync(tasks).reduce((sum, task) => sum + cpuNsOf(`${tasks}/${task}/schedstat`), 0);
  }

  /** Starts the server and says hello. */
  static async start(initialization: Initialization = english): Promise<Editor> {
    const node = await recentNode();
    const child = spawn(node, [BUNDLE, '--stdio'], { env: cleanEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
    const editor = new Editor(child);
    const hello = editor.#connection.sendRequest<InitializeResult>('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: { workspace: { codeLens: { refreshSupport: true } } },
      initializationOptions: initialization,
    });
    await hello.catch((error: unknown) => {
      child.kill();
      throw error;
    });
    await editor.#connection.sendNotification('initialized', {});
    return editor;
  }

  /** Says goodbye. Gives the exit code. */
  async stop(): Promise<number> {
    const ended = exitCodeOf(this.#child);
    await this.#connection.sendRequest('shutdown');
    await this.#connection.sendNotification('exit');
    this.#connection.end();
    return ended;
  }

  async open(uri: string, text: string, languageId = 'json'): Promise<void> {
    this.#versions.set(uri, 1);
    await this.#connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId, version: 1, text },
    });
  }

  /** Changes parts of an open document, as a keystroke does. */
  async change(uri: string, ...contentChanges: TextDocumentContentChangeEvent[]): Promise<void> {
    const version = (this.#versions.get(uri) ?? 0) + 1;
    this.#versions.set(uri, version);
    await this.#connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges,
    });
  }

  async close(uri: string): Promise<void> {
    await this.#connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }

  async tell(connections: readonly ServerStatus[]): Promise<void> {
    await this.#connection.sendNotification('scopekeeper/connections', { connections });
  }

  /** Something that the extension would not say. */
  async tellAnything(params: unknown): Promise<void> {
    await this.#connection.sendNotification('scopekeeper/connections', params);
  }

  /** What the server says about the document as it is now. */
  async diagnostics(uri: string): Promise<readonly Diagnostic[]> {
    await this.until(() => this.#published.get(uri)?.version === this.#versions.get(uri));
    return this.#published.get(uri)?.diagnostics ?? [];
  }

  /** Waits for the next time that the server says something about a document, whatever version. */
  async nextDiagnostics(uri: string): Promise<readonly Diagnostic[]> {
    const before = this.#published.get(uri);
    await this.until(() => this.#published.get(uri) !== before);
    return this.#published.get(uri)?.diagnostics ?? [];
  }

  /** What was last said, without waiting. */
  lastDiagnostics(uri: string): readonly Diagnostic[] | undefined {
    return this.#published.get(uri)?.diagnostics;
  }

  /** Waits until `isSo`, which is asked after each message of the server. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      assert.equal(this.#child.exitCode, null, `The server has ended: ${this.stderr}`);
      await new Promise<void>((resolve) => void this.#waiting.add(resolve));
    }
  }

  async lenses(uri: string): Promise<CodeLens[]> {
    return (await this.#ask<CodeLens[] | null>('textDocument/codeLens', { textDocument: { uri } })) ?? [];
  }

  async hover(uri: string, position: Position): Promise<Hover | null> {
    return this.#ask('textDocument/hover', { textDocument: { uri }, position });
  }

  async completions(uri: string, position: Position): Promise<CompletionItem[]> {
    const answer = await this.#ask<CompletionItem[] | CompletionList | null>('textDocument/completion', {
      textDocument: { uri },
      position,
    });
    return Array.isArray(answer) ? answer : (answer?.items ?? []);
  }

  async links(uri: string): Promise<DocumentLink[]> {
    return (await this.#ask<DocumentLink[] | null>('textDocument/documentLink', { textDocument: { uri } })) ?? [];
  }

  /** What can be done about a part of a document. */
  async actions(uri: string, range: Range): Promise<CodeAction[]> {
    const context = { diagnostics: this.lastDiagnostics(uri) ?? [] };
    return (
      (await this.#ask<CodeAction[] | null>('textDocument/codeAction', { textDocument: { uri }, range, context })) ?? []
    );
  }

  /** The rest of an action, once it is chosen. */
  async resolve(action: CodeAction): Promise<CodeAction> {
    return this.#ask('codeAction/resolve', action);
  }

  async #ask<T>(method: string, params: unknown): Promise<T> {
    return this.#connection.sendRequest<T>(method, params);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
