import { parse } from 'valibot';
import {
  CodeActionKind,
  CodeLensRefreshRequest,
  type Connection,
  type InitializeParams,
  type InitializeResult,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { ConfigClient } from '../mcpConfig/configClient.ts';
import { configDocument } from '../mcpConfig/configDocuments.ts';
import { connectionsNotification, initializationSchema, type Initialization } from '../mcpConfig/languageProtocol.ts';
import { setLanguage, translatorOf } from '../vscode/localize.ts';
import { Analyzer } from './analysis.ts';
import { completionsAt } from './completion.ts';
import { completionPlace } from './completionPlace.ts';
import type { ConfigDocument } from './configDocument.ts';
import { ConnectionList } from './connectionList.ts';
import { diagnosticsOf } from './diagnostics.ts';
import { linksOf } from './documentLinks.ts';
import { findingsOf } from './findings.ts';
import { hoverAt } from './hover.ts';
import { lensesOf } from './lenses.ts';
import { quickFixesOf, withEdit } from './quickFixes.ts';

/** A document of a client, open in the editor. */
interface OpenDocument {
  readonly client: ConfigClient;
  readonly analyzer: Analyzer;
  /** Made anew when it is asked for after a change. */
  current: ConfigDocument | undefined;
  /** Whether what is found in it is about to be told. */
  isQueued: boolean;
}

/** Serves one editor. Ends with the connection. */
export class LanguageServer {
  readonly #connection: Connection;
  readonly #documents = new TextDocuments(TextDocument);
  readonly #open = new Map<string, OpenDocument>();
  readonly #connections = new ConnectionList();
  #environment: Initialization['environment'] | undefined;
  #canRefreshLenses = false;
  #hasSnippets = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.onInitialize((params) => this.#initialize(params));
    connection.onNotification(connectionsNotification.method, (params: unknown) => this.#takeConnections(params));
    connection.onCodeLens(({ textDocument }) => {
      const document = this.#document(textDocument.uri);
      return document === undefined ? [] : lensesOf(document, this.#connections);
    });
    connection.onHover(({ textDocument, position }) => {
      const document = this.#document(textDocument.uri);
      return document && hoverAt(document, this.#connections, document.document.offsetAt(position));
    });
    connection.onCompletion(({ textDocument, position }) => {
      const document = this.#document(textDocument.uri);
      const place = document && completionPlace(document, document.document.offsetAt(position));
      return document && place ? completionsAt(document, this.#connections, place, this.#hasSnippets) : [];
    });
    connection.onDocumentLinks(({ textDocument }) => {
      const document = this.#document(textDocument.uri);
      return document === undefined ? [] : linksOf(document);
    });
    connection.onCodeAction((params) => {
      const document = this.#document(params.textDocument.uri);
      if (document === undefined) return [];
      return quickFixesOf(document, findingsOf(document, this.#connections), params);
    });
    connection.onCodeActionResolve((action) => withEdit(action, (uri) => this.#document(uri)));
    this.#documents.onDidOpen(({ document }) => this.#take(document));
    this.#documents.onDidChangeContent(({ document }) => this.#changed(document.uri));
    this.#documents.onDidClose(({ document }) => this.#forget(document.uri));
  }

  listen(): void {
    this.#documents.listen(this.#connection);
    this.#connection.listen();
  }

  #initialize({ capabilities, initializationOptions }: InitializeParams): InitializeResult {
    const { language, messages = {}, environment } = parse(initializationSchema, initializationOptions);
    setLanguage(translatorOf(messages), language);
    this.#environment = environment;
    this.#canRefreshLenses = capabilities.workspace?.codeLens?.refreshSupport === true;
    this.#hasSnippets = capabilities.textDocument?.completion?.completionItem?.snippetSupport === true;
    return {
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental,
        codeLensProvider: { resolveProvider: false },
        hoverProvider: true,
        documentLinkProvider: { resolveProvider: false },
        completionProvider: { triggerCharacters: ['"', '[', '.'] },
        codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix], resolveProvider: true },
      },
    };
  }

  #take(document: TextDocument): void {
    const client =
      this.#environment === undefined ? undefined : configDocument(document.uri, this.#environment)?.client;
    if (client === undefined) return;
    this.#open.set(document.uri, { client, analyzer: new Analyzer(client), current: undefined, isQueued: false });
  }

  #changed(uri: string): void {
    const open = this.#open.get(uri);
    if (open === undefined) return;
    open.current = undefined;
    this.#queue(uri, open);
  }

  #forget(uri: string): void {
    if (this.#open.delete(uri)) this.#send(uri, []);
  }

  #takeConnections(params: unknown): void {
    const { connections } = parse(connectionsNotification.params, params);
    if (this.#connections.replace(connections)) for (const [uri, open] of this.#open) this.#queue(uri, open);
    if (this.#canRefreshLenses) toldOrGone(this.#connection.sendRequest(CodeLensRefreshRequest.type));
  }

  /** Tells what is found as soon as all that the editor has sent by now is known. */
  #queue(uri: string, open: OpenDocument): void {
    if (open.isQueued) return;
    open.isQueued = true;
    setImmediate(() => {
      open.isQueued = false;
      const document = this.#open.get(uri) === open ? this.#document(uri) : undefined;
      if (document === undefined) return;
      this.#send(uri, diagnosticsOf(document, findingsOf(document, this.#connections)), document.document.version);
    });
  }

  #send(uri: string, diagnostics: ReturnType<typeof diagnosticsOf>, version?: number): void {
    const params = { uri, diagnostics, ...(version === undefined ? {} : { version }) };
    toldOrGone(this.#connection.sendDiagnostics(params));
  }

  #document(uri: string): ConfigDocument | undefined {
    const open = this.#open.get(uri);
    const document = this.#documents.get(uri);
    if (open === undefined || document === undefined) return undefined;
    open.current ??= { document, client: open.client, analysis: open.analyzer.analyze(document.getText()) };
    return open.current;
  }
}

/** What the editor is told fails only when it is gone, and then this process ends too. */
function toldOrGone(sent: Promise<void>): void {
  sent.catch(() => undefined);
}
