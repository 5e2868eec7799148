import { createWriteStream } from 'node:fs';
import { devNull } from 'node:os';
import { newWorkbenchPage, startBrowser } from './browser.ts';
import { CodeServer } from './codeServer.ts';
import type { EditorCommand } from './editorCommand.ts';
import { HOST_AGENTS_VARIABLE, HOST_LOG_VARIABLE } from './hostTests.ts';

/** Longer than any run should take; a window that never reports must not hang the tests. */
const RUN_TIMEOUT_MS = 10 * 60_000;

/**
 * Does with code-server and Chromium what `code --extensionTestsPath` does on a desktop: opens a window with the
 * extensions in development and runs the tests inside its extension host. Gives the exit code that they end with.
 */
export async function runInCodeServer(command: EditorCommand): Promise<number> {
  const log = createWriteStream(process.env[HOST_LOG_VARIABLE] ?? devNull);
  const server = await CodeServer.start({
    // It starts a process of its own, and the window asks it for ten seconds who is signed in.
    settings: { 'chat.disableAIFeatures': process.env[HOST_AGENTS_VARIABLE] === undefined },
  });
  try {
    const browser = await startBrowser();
    try {
      const page = await newWorkbenchPage(browser.context);
      const ended = new Promise<number>((resolve, reject) => {
        page.once('crash', () => reject(new Error('The page with the workbench crashed.')));
        void page.exposeFunction('codeAutomationExit', resolve).catch(reject);
        setTimeout(() => reject(new Error(`No result after ${RUN_TIMEOUT_MS} ms.`)), RUN_TIMEOUT_MS).unref();
      });
      await page.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) => {
        log.write(`[${type}] ${args.map(String).join(' ')}\n`);
      });
      await page.addInitScript({ content: developmentOptionsScript(command) });
      await page.goto(server.urlFor(command.folder));
      return await ended;
    } finally {
      await browser.dispose();
    }
  } finally {
    await server.dispose();
    log.end();
  }
}

/**
 * A script for the page, run before the workbench. The web workbench takes development options only from its embedder,
 * which is code-server's own page: so they are added to the configuration at the moment the workbench reads it.
 */
function developmentOptionsScript(command: EditorCommand): string {
  return `{
    const uri = (path) => ({ $mid: 1, scheme: 'vscode-remote', authority: location.host, path });
    const developmentOptions = {
      extensions: ${JSON.stringify(command.extensionDevelopmentPaths)}.map(uri),
      extensionTestsPath: uri(${JSON.stringify(command.extensionTestsPath)}),
    };
    const original = Element.prototype.getAttribute;
    Element.prototype.getAttribute = function getAttribute(name) {
      const value = original.call(this, name);
      if (this.id !== 'vscode-workbench-web-configuration' || name !== 'data-settings') return value;
      return JSON.stringify({ ...JSON.parse(value), developmentOptions });
    };
  }`;
}
