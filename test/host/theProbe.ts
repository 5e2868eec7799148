import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { ScopekeeperApi } from '../../src/vscode/api.ts';
import type { Probe } from './probe/probe.main.ts';

/** The extension that watches Scopekeeper. Fails when it could not watch from the beginning. */
export async function theProbe(): Promise<Probe> {
  const extension = vscode.extensions.getExtension<Probe>('scopekeeper.probe');
  assert.ok(extension, 'the probe is not installed');
  const probe = await extension.activate();
  assert.equal(probe.isFirst, true, 'Scopekeeper was loaded before the probe, which has seen nothing');
  return probe;
}

/** Scopekeeper's public API, once it is active: that of the one that runs, if it was activated anew. */
export async function scopekeeper(): Promise<ScopekeeperApi> {
  const extension = vscode.extensions.getExtension<ScopekeeperApi>('scopekeeper.scopekeeper');
  assert.ok(extension, 'it is not installed');
  await extension.activate();
  const api = (await theProbe()).api();
  assert.ok(api, 'the probe did not see the activation');
  return api;
}

/** Waits until this window is `role` to the connections, as the `when` clauses see it. */
export async function untilRole(probe: Probe, role: 'idle' | 'owner' | 'guest'): Promise<void> {
  await probe.recorder.until(`the role ${role}`, () =>
    probe.editor.contextKeys.get('scopekeeper.role') === role ? true : undefined,
  );
}
