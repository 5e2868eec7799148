// A bundle of its own, dist/languageClient.js: vscode-languageclient is as large as half of the extension, and most
// windows never open a file of an MCP client. No words for the person are in it: it has its own copy of localize.ts.
import path from 'node:path';
import type { LogOutputChannel } from 'vscode';
import { EventEmitter, LogLevel } from 'vscode';
import {
  CloseAction,
  type CloseHandlerResult,
  ErrorAction,
  type ErrorHandler,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  TransportKind,
} from 'vscode-languageclient/node';
import type { ConfigDocumentPattern } from '../../mcpConfig/configDocuments.ts';
import { connectionsNotification, type Initialization, type ServerStatus } from '../../mcpConfig/languageProtocol.ts';
import type { RunningServer } from './serverLifetime.ts';

export interface LaunchParts {
  /** The absolute path of the server's bundle. */
  readonly module: string;
  readonly documents: readonly ConfigDocumentPattern[];
  readonly initialization: Initialization;
  /** Where client and server say what happens. */
  readonly channel: LogOutputChannel;
  /** Is called when a server begins to listen: at the start, and when one that has crashed is there again. */
  readonly onRunning: () => void;
  /** Is called when it has crashed so often that it is not started again. */
  readonly onGivenUp: () => void;
}

export interface LaunchedServer extends RunningServer {
  /** Rejects while no server listens. */
  sendConnections(connections: readonly ServerStatus[]): Promise<void>;
}

/** Starts the server on the editor's own Node, and what of the editor asks it. Rejects when it does not start. */
export async function launchServer(parts: LaunchParts): Promise<LaunchedServer> {
  const { module } = parts;
  const handler = new RestartPolicy(parts.onGivenUp);
  const client = new QuietClient(
    'scopekeeper.mcpConfig',
    'MCP configuration',
    // Not in a folder of the workspace, which on Windows could not be deleted then.
    { module, transport: TransportKind.ipc, options: { cwd: path.dirname(module) } },
    clientOptions(parts, handler),
  );
  handler.follow(client.createDefaultErrorHandler());
  const states = client.onDidChangeState(({ newState }) => {
    if (newState === State.Running) parts.onRunning();
  });
  try {
    await client.start();
  } catch (error) {
    states.dispose();
    throw error;
  }
  handler.hasStarted = true;
  return {
    async sendConnections(connections) {
      if (client.state !== State.Running) throw new Error('The language server does not run.');
      await client.sendNotification(connectionsNotification.method, { connections });
    },
    async stop() {
      states.dispose();
      // One that does not end in time, or is just being started again, is ended with its pipe.
      await client.dispose().catch(() => client.serverProcess?.kill());
    },
  };
}

function clientOptions(parts: LaunchParts, errorHandler: ErrorHandler): LanguageClientOptions {
  return {
    documentSelector: parts.documents.map(({ scheme, baseUri, pattern }) => ({
      scheme,
      pattern: baseUri === undefined ? pattern : { baseUri, pattern },
    })),
    diagnosticCollectionName: 'scopekeeper',
    initializationOptions: parts.initialization,
    outputChannel: lastingChannel(parts.channel),
    traceOutputChannel: silentChannel(),
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    errorHandler,
    // Else the client would show what the server said.
    initializationFailedHandler: () => false,
  };
}

/** The channel, which is written to for as long as it is open: the end of the server's process is told after that. */
function lastingChannel(channel: LogOutputChannel): LogOutputChannel {
  return new Proxy(channel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        try {
          return Reflect.apply(member, target, args);
        } catch {
          return undefined;
        }
      };
    },
  });
}

/** Shows nothing by itself: what goes wrong is in the log, and the person is told when the client gives up. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** The client's own policy, 5 crashes in 3 minutes, but for the words; and a server that does not even start is left. */
class RestartPolicy implements ErrorHandler {
  hasStarted = false;
  readonly #onGivenUp: () => void;
  #default: ErrorHandler | undefined;

  constructor(onGivenUp: () => void) {
    this.#onGivenUp = onGivenUp;
  }

  /** What it follows; a client makes it, and is made with this. */
  follow(handler: ErrorHandler): void {
    this.#default = handler;
  }

  error(...args: Parameters<ErrorHandler['error']>): ReturnType<ErrorHandler['error']> {
    return this.#default?.error(...args) ?? { action: ErrorAction.Continue };
  }

  async closed(): Promise<CloseHandlerResult> {
    const judged = (await this.#default?.closed()) ?? { action: CloseAction.DoNotRestart };
    if (!this.hasStarted) return { action: CloseAction.DoNotRestart, handled: true };
    if (judged.action === CloseAction.DoNotRestart) this.#onGivenUp();
    return { ...judged, handled: true };
  }
}

const nothing = (): void => undefined;

/**
 * For the messages between client and server, which hold the texts of documents with all tokens that are written in
 * them: `scopekeeper.mcpConfig.trace.server`, which a workspace can set, must not bring them into a log.
 */
function silentChannel(): LogOutputChannel {
  const { event } = new EventEmitter<LogLevel>();
  return {
    name: 'none',
    logLevel: LogLevel.Off,
    onDidChangeLogLevel: event,
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    append: nothing,
    appendLine: nothing,
    replace: nothing,
    clear: nothing,
    show: nothing,
    hide: nothing,
    dispose: nothing,
  };
}
