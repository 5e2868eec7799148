import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type * as vscode from 'vscode';
import type { Probe } from './probe/probe.main.ts';
import { filesWith } from './visible.ts';

const LOG_TIMEOUT_MS = 10_000;

/** What Scopekeeper was activated with. */
export function contextOf(probe: Probe): vscode.ExtensionContext {
  const context = probe.context();
  assert.ok(context, 'the probe did not see the activation');
  return context;
}

/** The extension's log once it has a line; the editor writes it when it finds the time, and tells nobody. */
export async function logWith(probe: Probe, line: string): Promise<string> {
  const { fsPath } = contextOf(probe).logUri;
  const deadline = Date.now() + LOG_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const [file] = await filesWith(fsPath, [line]).catch(() => []);
    if (file !== undefined) return readFile(file, 'utf8');
    await delay(50);
  }
  throw new Error(`The log never said: ${line}`);
}
