import type * as vscode from 'vscode';
import type { ScopekeeperApi } from '../../../src/vscode/api.ts';
import { BENCH_VARIABLE } from '../hostedGateway.ts';
import { EditorRecorder } from './editorRecorder.ts';
import { hookModules, isExtensionLoaded } from './moduleHook.ts';
import { hookProcess } from './processHook.ts';
import { Recorder } from './recorder.ts';

/** Looks at Scopekeeper from outside: what it reads, opens, loads and draws. */
export interface Probe {
  /** Whether the probe was there before Scopekeeper's code; if not, it has seen nothing. */
  readonly isFirst: boolean;
  readonly recorder: Recorder;
  readonly editor: EditorRecorder;
  /** What Scopekeeper was activated with; undefined before that. */
  context(): vscode.ExtensionContext | undefined;
  /** The public API of the Scopekeeper that runs now; undefined before its activation. */
  api(): ScopekeeperApi | undefined;
  /**
   * Ends Scopekeeper and activates it again, as closing and opening the window would. What
   * `extensions.getExtension` knows stays the first one's; {@link api} knows the new one's.
   * @param whileEnded is done between the two
   */
  restart(whileEnded?: () => Promise<void>): Promise<ScopekeeperApi>;
}

interface ExtensionModule {
  activate(context: vscode.ExtensionContext): ScopekeeperApi;
  deactivate(): Promise<void>;
}

/** Begins to watch, before any extension that waits for the editor to have started. */
export function activate(): Probe {
  const isFirst = !isExtensionLoaded();
  const recorder = new Recorder();
  const editor = new EditorRecorder(recorder);
  let loaded: ExtensionModule | undefined;
  let context: vscode.ExtensionContext | undefined;
  let running: ScopekeeperApi | undefined;

  const wrapExtension = (exports: object): ExtensionModule => {
    if (!isExtensionModule(exports)) throw new Error('This is not an extension.');
    loaded = {
      activate(given) {
        const wrapped = editor.wrapContext(given);
        context = given;
        const api = recorder.during('activating', () => exports.activate(wrapped));
        running = api;
        return api;
      },
      deactivate: async () => exports.deactivate(),
    };
    return loaded;
  };
  hookModules({
    recorder,
    isRecordingIo: process.env[BENCH_VARIABLE] === undefined,
    wrapEditor: (api) => (isEditor(api) ? editor.wrap(api) : api),
    wrapExtension,
  });
  hookProcess(recorder);

  return {
    isFirst,
    recorder,
    editor,
    context: () => context,
    api: () => running,
    async restart(whileEnded = async () => undefined) {
      if (loaded === undefined || context === undefined) throw new Error('It was never activated.');
      await loaded.deactivate();
      for (const subscription of context.subscriptions.splice(0)) await subscription.dispose();
      editor.contextKeys.clear();
      await whileEnded();
      return loaded.activate(context);
    },
  };
}

function isExtensionModule(exports: object): exports is ExtensionModule {
  return 'activate' in exports && 'deactivate' in exports;
}

function isEditor(api: object): api is typeof vscode {
  return 'window' in api && 'commands' in api;
}
