import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { ConnectionId } from '../../src/connections/connection.ts';
import type { AllowedTools } from '../../src/gateway/localAccess.ts';
import type { AskConsent } from '../../src/gateway/ports.ts';
import { gatewayRequests, promptRequests } from '../../src/owner/gatewayProtocol.ts';
import { ask, serve } from '../../src/owner/windowRpc.ts';
import type { Usage } from '../bench/messages.ts';
import { cleanEnvironment, exitCodeOf } from '../stand/processes.ts';
import { OUT_FOLDER } from '../stand/standPaths.ts';
import { type GatewayOptions, personRequests, processRequests } from './gatewayRpc.ts';

/** The person, outside the process. */
export interface GatewayPerson {
  /** Takes the authorization URL of a server, and gives the callback URL. */
  readonly browse: (url: string) => Promise<URL>;
  readonly askConsent: AskConsent;
}

const SCRIPT = path.join(OUT_FOLDER, 'test', 'headless', 'gatewayProcess.main.mjs');

/** A connection, and where it is at the gateway. */
export interface ServedConnection {
  readonly id: ConnectionId;
  readonly url: string;
}

/** The real gateway in a process of its own. */
export class GatewayProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #rpc: MessageConnection;

  private constructor(child: ChildProcess, rpc: MessageConnection, port: number) {
    this.#child = child;
    this.#rpc = rpc;
    this.port = port;
  }

  /** Starts it, and gives it once the gateway is served. */
  static async start(options: GatewayOptions, { askConsent, browse }: GatewayPerson): Promise<GatewayProcess> {
    const child = fork(SCRIPT, [JSON.stringify(options)], { env: cleanEnvironment(), execArgv: [] });
    const rpc = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
    serve(rpc, promptRequests.askConsent, askConsent);
    serve(rpc, personRequests.browse, async ({ url }) => ({ callback: (await browse(url)).href }));
    // A process that ends answers nothing more.
    child.once('exit', () => rpc.dispose());
    rpc.listen();
    return new GatewayProcess(child, rpc, (await ask(rpc, processRequests.ready, {})).port);
  }

  /** Adds a server, and signs in to it unless the person has brought a token. */
  async connect(serverUrl: string, accessToken?: string): Promise<ServedConnection> {
    return ask(this.#rpc, processRequests.connect, { serverUrl, ...(accessToken !== undefined && { accessToken }) });
  }

  /** A token for a client that cannot do OAuth. */
  async createToken(connection: ConnectionId, allowedTools: AllowedTools = '*'): Promise<string> {
    return (await ask(this.#rpc, gatewayRequests.createToken, { label: 'a test', connection, allowedTools })).token;
  }

  /** Puts its clock forward. */
  async pass(ms: number): Promise<void> {
    await ask(this.#rpc, processRequests.pass, { ms });
  }

  async usage(isMemoryWanted = false): Promise<Usage> {
    return ask(this.#rpc, processRequests.usage, { isMemoryWanted });
  }

  /** Ends it by SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await exitCodeOf(this.#child);
  }
}
