import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { SampleServer } from '../sample/sampleServer.ts';
import { open, type Opened } from './browser.ts';
import type { Probe } from './probe/probe.main.ts';

const ACCEPT_EVERY_MS = 50;

export interface Connected {
  /** What was opened in the browser. */
  readonly authorizationUrl: URL;
  readonly callbackUrl: URL;
  /** The HTML that the browser showed in the end. */
  readonly page: string;
}

/**
 * Connects a server as a person does: command, URL, sign-in in a browser, callback.
 * @param whileWaiting runs while the sign-in waits for the browser
 */
export async function connect(
  probe: Probe,
  sample: SampleServer,
  whileWaiting: (authorizationUrl: URL) => Promise<void> = async () => undefined,
): Promise<Connected> {
  return signInBy(
    probe,
    async () => enterServerUrl(probe, sample.mcpUrl),
    async (authorizationUrl) => {
      await whileWaiting(authorizationUrl);
      return open(authorizationUrl, sample);
    },
  );
}

/** Runs the command *Connect Server…* and enters the URL, to the end of what follows. */
export async function enterServerUrl({ recorder, editor }: Probe, mcpUrl: string): Promise<void> {
  const inputsBefore = editor.inputs.length;
  const connecting = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectServer'));
  await enter(await recorder.until('the question for a URL', () => editor.inputs[inputsBefore]), mcpUrl);
  await connecting;
}

/**
 * Signs in.
 * @param begin what leads to the browser, to the end of what follows
 * @param useBrowser from the URL that was opened in the browser to where it ended
 */
export async function signInBy(
  { recorder, editor }: Probe,
  begin: () => Promise<void>,
  useBrowser: (authorizationUrl: URL) => Promise<Opened>,
): Promise<Connected> {
  const openedBefore = editor.opened.length;
  const beginning = begin();
  const opened = await recorder.until('the browser', () => editor.opened[openedBefore]);
  const authorizationUrl = new URL(opened);
  const { url, status, page } = await useBrowser(authorizationUrl);
  assert.equal(status, 200, page);
  await beginning;
  return { authorizationUrl, callbackUrl: new URL(url), page };
}

/** Enters a text into an input box and accepts it. */
export async function enter(input: vscode.InputBox, value: string): Promise<void> {
  input.value = value;
  await accept(input);
}

/** Takes the choice with this label. */
export async function pick(picker: vscode.QuickPick<vscode.QuickPickItem>, label: string): Promise<void> {
  const item = picker.items.find((one) => one.label === label);
  assert.ok(item, `there is no ${label} among ${picker.items.map((one) => one.label).join(', ')}`);
  // As with the arrow key: an item that is made the active one before the workbench shows the list does not stay it.
  while (picker.activeItems[0] !== item) {
    await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
    await delay(ACCEPT_EVERY_MS);
  }
  await accept(picker);
}

/** Presses Enter until the box has heard it. */
export async function accept(box: Pick<vscode.InputBox, 'onDidAccept'>): Promise<void> {
  const accepted = new AbortController();
  const subscription = box.onDidAccept(() => accepted.abort());
  // The workbench tells nobody when it shows the box, and before that there is nothing to accept.
  while (!accepted.signal.aborted) {
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    await delay(ACCEPT_EVERY_MS);
  }
  subscription.dispose();
}
