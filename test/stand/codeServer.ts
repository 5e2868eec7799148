import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  cleanEnvironment,
  descendantsOf,
  endProcessTree,
  outputOf,
  signalProcess,
  spawnBound,
  waitForEnd,
} from './processes.ts';
import { fileExists } from './fileExists.ts';
import { CODE_SERVER_FOLDER, codeServerEntryIn, hostNodeIn } from './standPaths.ts';

const START_TIMEOUT_MS = 30_000;

/** code-server takes up to two seconds to end by itself; one whose data are thrown away need not. */
const END_GRACE_MS = 5000;

/** Long enough for a reload, short enough that a left window's extension host does not outlive its test. */
const RECONNECTION_GRACE_S = 10;

/** What keeps data; a file watcher or a language server ends seconds later, and has nothing to lose. */
const KEEPS_DATA = /\/code-server\/out\/node\/entry|--type=extensionHost|exchangeProcess/;

/** Settings that keep the workbench quiet and the same in every run. */
const QUIET_SETTINGS: Readonly<Record<string, unknown>> = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.reduceMotion': 'on',
  'workbench.tips.enabled': false,
  // A test asks for light or dark by what the browser prefers.
  'window.autoDetectColorScheme': true,
  'workbench.preferredDarkColorTheme': 'Dark Modern',
  'workbench.preferredLightColorTheme': 'Light Modern',
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'remote.autoForwardPorts': false,
};

export interface CodeServerOptions {
  /** Where its data lie and stay; without it in a temporary folder that goes with the server. */
  readonly folder?: string;
  /** A free one when left out; a restart keeps it. */
  readonly port?: number;
  /** On top of a cleaned environment in which HOME and the XDG folders are the server's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** User settings on top of the quiet ones; a lasting folder keeps those that it has. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A folder of extensions that are installed, as another server has left it; it has a copy of them from the start. */
  readonly extensions?: string;
  /** Whether a folder is trusted only when the person says so; else all are. */
  readonly hasWorkspaceTrust?: boolean;
  /** How long a window that lost its connection keeps its extension host. */
  readonly reconnectionGraceSeconds?: number;
}

/** A running code-server with its own data, settings, extensions and home folder. */
export class CodeServer {
  /** Its own folder; holds `home`, `user-data`, `extensions`, `server.log`. */
  readonly folder: string;
  /** HOME inside: what the extension takes for the person's home folder. */
  readonly home: string;
  /** XDG_CONFIG_HOME inside. */
  readonly configHome: string;
  readonly extensionsFolder: string;
  readonly #options: CodeServerOptions;
  readonly #env: Record<string, string>;
  /** For temporary files and sockets, which the editor leaves behind. Its path is short: one of a socket has to be. */
  readonly #scratch: string;
  #port: number;
  #process: ChildProcess | undefined;

  private constructor(folder: string, scratch: string, options: CodeServerOptions) {
    this.folder = folder;
    this.#scratch = scratch;
    this.home = path.join(folder, 'home');
    this.configHome = path.join(this.home, '.config');
    this.extensionsFolder = path.join(folder, 'extensions');
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#env = cleanEnvironment({
      HOME: this.home,
      XDG_CONFIG_HOME: this.configHome,
      XDG_DATA_HOME: path.join(this.home, '.local', 'share'),
      XDG_STATE_HOME: path.join(this.home, '.local', 'state'),
      XDG_CACHE_HOME: path.join(this.home, '.cache'),
      XDG_RUNTIME_DIR: scratch,
      TMPDIR: scratch,
      // Empty: a loopback URL is opened as it is, in a browser on this machine, and not as /proxy/PORT/...,
      // which would also decode its query (a %2B becomes a +).
      VSCODE_PROXY_URI: '',
      ...options.env,
    });
  }

  /** Prepares the folders and settings, starts the server and waits until it answers. */
  static async start(options: CodeServerOptions = {}): Promise<CodeServer> {
    const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), 'scopekeeper-code-')));
    const server = new CodeServer(folder, await mkdtemp(path.join(tmpdir(), 'sk-')), options);
    await Promise.all(
      [server.configHome, server.extensionsFolder].map(async (each) => mkdir(each, { recursive: true })),
    );
    if (options.extensions !== undefined) await cp(options.extensions, server.extensionsFolder, { recursive: true });
    await writeFile(server.#configFile, 'auth: none\ncert: false\n');
    await server.#writeSettings({ ...QUIET_SETTINGS, ...options.settings });
    await server.#launch();
    return server;
  }

  /** The server's address, with no slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Where the workbench opens `folder` (absolute), or an empty window. */
  urlFor(folder?: string): string {
    return folder === undefined ? `${this.url}/?ew=true` : `${this.url}/?folder=${encodeURIComponent(folder)}`;
  }

  /** A window reads the settings only when it (re)loads: code-server does not watch their file. */
  async #writeSettings(settings: Readonly<Record<string, unknown>>): Promise<void> {
    if (await fileExists(this.#settingsFile)) return;
    await mkdir(path.dirname(this.#settingsFile), { recursive: true });
    await writeFile(this.#settingsFile, JSON.stringify(settings, undefined, 2));
  }

  /** Installs a VSIX file. A window that is open must be reloaded to see it. */
  async installExtension(vsixFile: string): Promise<void> {
    await outputOf(
      hostNodeIn(CODE_SERVER_FOLDER),
      [...this.#baseArguments(), '--install-extension', vsixFile, '--force'],
      {
        env: this.#env,
      },
    );
  }

  /** Ends the server with its extension hosts; {@link restart} starts it again. */
  async stop(): Promise<void> {
    await this.#end();
  }

  /** Ends the server with its extension hosts and starts it on the same port with the same data. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#launch();
  }

  /** The process ids of the extension hosts, one for each window. */
  async extensionHosts(): Promise<number[]> {
    if (this.#process?.pid === undefined) return [];
    const running = await descendantsOf(this.#process.pid);
    return running.filter((each) => each.commandLine.includes('--type=extensionHost')).map((each) => each.pid);
  }

  /** Kills all extension hosts, as a crash would, and waits until they are gone. Gives their process ids. */
  async killExtensionHosts(): Promise<number[]> {
    const pids = await this.extensionHosts();
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
    await waitForEnd(pids, 5000);
    return pids;
  }

  /** Ends the server and all that it started; removes its folder unless one was given. */
  async dispose(): Promise<void> {
    const isTemporary = this.#options.folder === undefined;
    await this.#end(isTemporary ? 500 : END_GRACE_MS);
    const unwanted = isTemporary ? [this.#scratch, this.folder] : [this.#scratch];
    for (const each of unwanted) await rm(each, { recursive: true, force: true, maxRetries: 5 });
  }

  get #configFile(): string {
    return path.join(this.folder, 'code-server.yaml');
  }

  get #settingsFile(): string {
    return path.join(this.folder, 'user-data', 'User', 'settings.json');
  }

  #baseArguments(): string[] {
    const data = ['--user-data-dir', path.join(this.folder, 'user-data'), '--extensions-dir', this.extensionsFolder];
    return [codeServerEntryIn(CODE_SERVER_FOLDER), '--config', this.#configFile, ...data];
  }

  async #launch(): Promise<void> {
    const server = spawnBound(
      hostNodeIn(CODE_SERVER_FOLDER),
      [
        ...this.#baseArguments(),
        `--bind-addr=127.0.0.1:${this.#port}`,
        `--reconnection-grace-time=${this.#options.reconnectionGraceSeconds ?? RECONNECTION_GRACE_S}`,
        '--disable-telemetry',
        '--disable-update-check',
        ...(this.#options.hasWorkspaceTrust === true ? [] : ['--disable-workspace-trust']),
        '--disable-getting-started-override',
      ],
      { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = server;
    try {
      this.#port = await listeningPort(server, path.join(this.folder, 'server.log'));
      const health = await fetch(`${this.url}/healthz`);
      if (!health.ok) throw new Error(`code-server answered ${health.status}`);
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  async #end(graceMs = END_GRACE_MS): Promise<void> {
    const ending = this.#process;
    this.#process = undefined;
    if (ending !== undefined) await endProcessTree(ending, graceMs, ({ commandLine }) => KEEPS_DATA.test(commandLine));
  }
}

/** Copies the server's output to `logFile` and waits for the line that tells its port. */
async function listeningPort(server: ChildProcess, logFile: string): Promise<number> {
  if (server.stdout === null || server.stderr === null) throw new Error('The output of code-server is not piped.');
  const log = createWriteStream(logFile, { flags: 'a' });
  server.stdout.pipe(log, { end: false });
  server.stderr.pipe(log, { end: false });
  server.once('close', () => log.end());
  const lines = createInterface({ input: server.stdout, signal: AbortSignal.timeout(START_TIMEOUT_MS) });
  for await (const line of lines) {
    const port = /HTTP server listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      // Leaving the loop ends the reader, which would stop the stream for the log too.
      setImmediate(() => server.stdout?.resume());
      return Number(port);
    }
  }
  throw new Error(`code-server did not start:\n${(await readFile(logFile, 'utf8')).slice(-2000)}`);
}
