import * as vscode from 'vscode';

/**
 * Keeps the value of a setting until it changes. To ask the editor for it takes longer than all that the gateway does
 * with a request.
 */
export class KeptSetting<T> implements vscode.Disposable {
  readonly #read: () => T;
  readonly #changes: vscode.Disposable;
  #kept: { readonly value: T } | undefined;

  /** @param read asks the editor for the setting with this id. */
  constructor(id: string, read: () => T) {
    this.#read = read;
    this.#changes = vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(id)) this.#kept = undefined;
    });
  }

  readonly value = (): T => {
    this.#kept ??= { value: this.#read() };
    return this.#kept.value;
  };

  dispose(): void {
    this.#changes.dispose();
  }
}
