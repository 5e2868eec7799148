import type * as vscode from 'vscode';
import type { Recorder } from './recorder.ts';

type ProgressReport = Parameters<Parameters<Parameters<typeof vscode.window.withProgress>[1]>[0]['report']>[0];

/** The functions of `window` whose arguments the user sees. */
const SPEAKING = [
  'showInformationMessage',
  'showWarningMessage',
  'showErrorMessage',
  'showQuickPick',
  'showInputBox',
  'showOpenDialog',
  'showSaveDialog',
  'setStatusBarMessage',
] as const;

type Speaking = (typeof SPEAKING)[number];

/** What the extension drew and asked for through the editor's API. Secrets may only be in {@link opened}. */
export class EditorRecorder {
  /** Texts of messages and progress, as they were given to the editor. */
  readonly shown: unknown[] = [];
  /** Of error messages: the text, and each button in brackets. */
  readonly errors: string[] = [];
  /** What was to be opened in a browser; it is not opened. */
  readonly opened: string[] = [];
  /**
   * What the person answers the next times, by the function that asks; the editor refuses modal dialogs in tests. A text
   * is what they type, or else the title of the button or the label of the item that they take.
   */
  readonly answers = new Map<Speaking, unknown[]>();
  readonly inputs: vscode.InputBox[] = [];
  readonly picks: vscode.QuickPick<vscode.QuickPickItem>[] = [];
  readonly trees = new Map<string, vscode.TreeDataProvider<unknown>>();
  readonly views: Pick<vscode.TreeView<unknown>, 'message' | 'badge' | 'title' | 'description'>[] = [];
  readonly panels: vscode.WebviewPanel[] = [];
  /** What webviews were told, and what they said, in order. */
  readonly posted: unknown[] = [];
  readonly received: unknown[] = [];
  readonly serializers = new Map<string, vscode.WebviewPanelSerializer>();
  readonly statusBarItems: vscode.StatusBarItem[] = [];
  readonly contextKeys = new Map<unknown, unknown>();
  readonly mcpProviders = new Map<string, vscode.McpServerDefinitionProvider>();
  readonly authenticationProviders = new Map<string, vscode.AuthenticationProvider>();
  readonly #recorder: Recorder;
  #wrapped: object | undefined;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** The API to give to the extension instead of `editor`. */
  wrap(editor: typeof vscode): object {
    this.#wrapped ??= Object.defineProperties(
      {},
      {
        ...Object.getOwnPropertyDescriptors(editor),
        window: { enumerable: true, value: this.#window(editor.window) },
        env: { enumerable: true, value: this.#env(editor.env) },
        commands: { enumerable: true, value: this.#commands(editor.commands) },
        lm: { enumerable: true, value: this.#languageModels(editor.lm) },
        authentication: { enumerable: true, value: this.#authentication(editor.authentication) },
      },
    );
    return this.#wrapped;
  }

  /** The context to give to the extension: its secret storage is recorded. */
  wrapContext(context: vscode.ExtensionContext): vscode.ExtensionContext {
    const { secrets } = context;
    const recorded: Pick<vscode.SecretStorage, 'get' | 'store' | 'delete'> = {
      get: async (key) => {
        this.#recorder.record('secrets.get', key);
        return secrets.get(key);
      },
      store: async (key, value) => {
        this.#recorder.record('secrets.store', key);
        await secrets.store(key, value);
      },
      delete: async (key) => {
        this.#recorder.record('secrets.delete', key);
        await secrets.delete(key);
      },
    };
    return overlay(context, { secrets: overlay(secrets, recorded) });
  }

  /** Records what goes to the page of a panel, and what comes from it. */
  watch(panel: vscode.WebviewPanel): vscode.WebviewPanel {
    const { webview } = panel;
    const post = webview.postMessage.bind(webview);
    webview.postMessage = async (message: unknown) => {
      this.#note(this.posted, message);
      return post(message);
    };
    webview.onDidReceiveMessage((message: unknown) => this.#note(this.received, message));
    return this.#note(this.panels, panel);
  }

  #window(window: typeof vscode.window): typeof vscode.window {
    const speaking = SPEAKING.map((name) => {
      const original: unknown = window[name];
      return [
        name,
        (...args: unknown[]): unknown => {
          this.#note(this.shown, args);
          if (name === 'showErrorMessage') this.#note(this.errors, messageText(args));
          if (typeof original !== 'function') throw new TypeError(`${name} is no function`);
          const answer = this.answers.get(name)?.shift();
          if (answer === undefined) return Reflect.apply(original, window, args);
          const isTitle = typeof answer === 'string' && name !== 'showInputBox';
          return Promise.resolve(isTitle ? offered(args, answer) : answer);
        },
      ] as const;
    });
    return overlay(window, {
      ...Object.fromEntries(speaking),
      createTreeView: <T>(id: string, options: vscode.TreeViewOptions<T>) => {
        this.trees.set(id, options.treeDataProvider);
        return this.#note(this.views, window.createTreeView(id, options));
      },
      createStatusBarItem: (...args: unknown[]) => {
        const item: vscode.StatusBarItem = Reflect.apply(window.createStatusBarItem, window, args);
        return this.#note(this.statusBarItems, item);
      },
      createWebviewPanel: (...args: Parameters<typeof vscode.window.createWebviewPanel>) =>
        this.watch(window.createWebviewPanel(...args)),
      registerWebviewPanelSerializer: (type: string, serializer: vscode.WebviewPanelSerializer) => {
        this.serializers.set(type, serializer);
        return window.registerWebviewPanelSerializer(type, serializer);
      },
      createInputBox: () => this.#note(this.inputs, window.createInputBox()),
      createQuickPick: () => this.#note(this.picks, window.createQuickPick()),
      withProgress: async <T>(
        options: vscode.ProgressOptions,
        task: (progress: vscode.Progress<ProgressReport>, token: vscode.CancellationToken) => Thenable<T>,
      ) => {
        this.#note(this.shown, options.title);
        return window.withProgress(options, async (progress, token) => {
          const report = (value: ProgressReport) => progress.report(this.#note(this.shown, value));
          return task({ report }, token);
        });
      },
    });
  }

  #env(env: typeof vscode.env): typeof vscode.env {
    return overlay(env, {
      openExternal: async (target: unknown) => {
        this.#note(this.opened, String(target));
        return true;
      },
    });
  }

  #languageModels(lm: typeof vscode.lm): typeof vscode.lm {
    return overlay(lm, {
      registerMcpServerDefinitionProvider: (id: string, provider: vscode.McpServerDefinitionProvider) => {
        this.mcpProviders.set(id, provider);
        return lm.registerMcpServerDefinitionProvider(id, provider);
      },
    });
  }

  #authentication(authentication: typeof vscode.authentication): typeof vscode.authentication {
    return overlay(authentication, {
      registerAuthenticationProvider: (
        ...args: Parameters<typeof vscode.authentication.registerAuthenticationProvider>
      ) => {
        this.authenticationProviders.set(args[0], args[2]);
        return authentication.registerAuthenticationProvider(...args);
      },
    });
  }

  #commands(commands: typeof vscode.commands): typeof vscode.commands {
    return overlay(commands, {
      executeCommand: async <T>(command: string, ...args: unknown[]): Promise<T> => {
        const result = await commands.executeCommand<T>(command, ...args);
        if (command === 'setContext') {
          this.contextKeys.set(args[0], args[1]);
          this.#recorder.changed();
        }
        return result;
      },
    });
  }

  #note<T, U extends T>(list: T[], value: U): U {
    list.push(value);
    this.#recorder.changed();
    return value;
  }
}

function messageText([text, ...buttons]: readonly unknown[]): string {
  return [String(text), ...buttons.map((button) => `[${titleOf(button)}]`)].join(' ');
}

/** Of the buttons or items that the person is asked with, the one with this title. */
function offered(args: readonly unknown[], title: string): unknown {
  const choices: readonly unknown[] = args.flat();
  const found = choices.find((choice) => titleOf(choice) === title);
  if (found === undefined) throw new Error(`There is no ${title} among ${choices.map(titleOf).join(', ')}.`);
  return found;
}

/** What is written on a button or an item. */
function titleOf(choice: unknown): string {
  const { title, label }: { readonly title?: unknown; readonly label?: unknown } =
    typeof choice === 'object' && choice !== null ? choice : {};
  return String(title ?? label ?? choice);
}

/** `original` with some members replaced; it stays as it is. */
function overlay<T extends object>(original: T, members: object): T {
  return Object.create(original, Object.getOwnPropertyDescriptors(members));
}
