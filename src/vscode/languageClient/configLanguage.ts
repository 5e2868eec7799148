import { createRequire } from 'node:module';
import path from 'node:path';
import * as vscode from 'vscode';
import { configDocument, configDocumentPatterns } from '../../mcpConfig/configDocuments.ts';
import type { ConfigFiles } from '../../mcpConfig/configFiles.ts';
import { configEnvironment } from '../clientAccess.ts';
import { commandIds } from '../ids.ts';
import { t } from '../localize.ts';
import type * as clientBundle from './clientBundle.ts';
import { ServerLifetime, type RunningServer } from './serverLifetime.ts';
import { StatusFeed, type StatusFeedParts } from './statusFeed.ts';

export interface ConfigLanguageParts extends StatusFeedParts {
  readonly configFiles: ConfigFiles;
  readonly channel: vscode.LogOutputChannel;
  /** Where the extension is installed. */
  readonly extensionPath: string;
}

/**
 * Has the configuration files of MCP clients checked and explained where they are edited, by a language server that runs
 * while one of them is open. Does nothing before the editor has started. Also in a workspace that is not trusted: the
 * server reads texts and runs nothing of what is in them.
 */
export function offerConfigLanguage(parts: ConfigLanguageParts): vscode.Disposable {
  const { clock, configFiles } = parts;
  const isConfig = ({ uri }: vscode.TextDocument) =>
    configDocument(uri.toString(), configEnvironment(configFiles)) !== undefined;
  const isSeen = () => vscode.window.visibleTextEditors.some(({ document }) => isConfig(document));
  let feed: StatusFeed | undefined;

  const launch = async (onGivenUp: () => void): Promise<RunningServer> => {
    const { launchServer } = loadBundle(parts.extensionPath);
    const environment = configEnvironment(configFiles);
    const { bundle } = vscode.l10n;
    let own: StatusFeed | undefined;
    const server = await launchServer({
      module: path.join(parts.extensionPath, 'dist', 'languageServer.js'),
      documents: configDocumentPatterns(environment),
      initialization: { language: vscode.env.language, environment, ...(bundle !== undefined && { messages: bundle }) },
      channel: parts.channel,
      onRunning: () => own?.restart(),
      onGivenUp,
    });
    own = new StatusFeed(parts, async (connections) => server.sendConnections(connections));
    feed = own;
    own.setSeen(isSeen());
    own.restart();
    return {
      async stop() {
        own.dispose();
        if (feed === own) feed = undefined;
        await server.stop();
      },
    };
  };

  const lifetime = new ServerLifetime({ launch, askForRestart, clock, log: parts.log });
  const look = () => lifetime.setNeeded(vscode.workspace.textDocuments.some(isConfig));
  return vscode.Disposable.from(
    lifetime,
    // Those that are open already; not at once, since activation reads nothing.
    clock.after(0, look),
    vscode.workspace.onDidOpenTextDocument((document) => {
      if (isConfig(document)) look();
    }),
    vscode.workspace.onDidCloseTextDocument((document) => {
      if (isConfig(document)) look();
    }),
    vscode.window.onDidChangeVisibleTextEditors(() => feed?.setSeen(isSeen())),
  );
}

/** Loads the bundle that has the client, which Node keeps. By `require`, for which the editor has its `vscode`. */
function loadBundle(extensionPath: string): typeof clientBundle {
  const file = path.join(extensionPath, 'dist', 'languageClient.js');
  const loaded: typeof clientBundle = createRequire(file)(file);
  return loaded;
}

async function askForRestart(): Promise<boolean> {
  const text = t('MCP configuration files are no longer checked: the program that does it has ended several times.');
  const restart = t('Start Again');
  const showLog = t('Show Log');
  const chosen = await vscode.window.showWarningMessage(text, restart, showLog);
  if (chosen === showLog) await vscode.commands.executeCommand(commandIds.showLog);
  return chosen === restart;
}
