import * as vscode from 'vscode';
import type { ContextKeys } from './ids.ts';

const current = new Map<string, unknown>();

/** Sets a context key for `when` clauses; does nothing when it has that value already. */
export function setContextKey<K extends keyof ContextKeys>(key: K, value: ContextKeys[K]): void {
  if (current.get(key) === value) return;
  current.set(key, value);
  // Fire and forget: the editor answers nothing of use, and its going away is no error of ours.
  void vscode.commands.executeCommand('setContext', key, value);
}
