import * as vscode from 'vscode';
import type { ConfigFiles, ConfigFileText, ConfigFileWritten } from '../mcpConfig/configFiles.ts';
import { removeServer } from '../mcpConfig/configServers.ts';
import { variableOf } from '../mcpConfig/snippet.ts';
import { type ClientTarget, type ClientToken, openConfigFile } from './clientAccess.ts';
import { fileFailureText, homePath, signInStepText, tokenStepText } from './clientConfigText.ts';
import { t } from './localize.ts';

export interface Added {
  readonly target: ClientTarget;
  /** Of the server in the file. */
  readonly name: string;
  readonly before: ConfigFileText;
  readonly written: ConfigFileWritten & { readonly type: 'written' };
  readonly made: ClientToken | undefined;
  /** Revokes the token that was made, if one was. */
  readonly revoke: () => Promise<void>;
}

interface Parts {
  readonly configFiles: ConfigFiles;
}

/** Says that a server was added, where the text before is, and what comes next; with a way back. */
export async function tellAdded(parts: Parts, added: Added): Promise<void> {
  const { target, name, written, made } = added;
  const { client, file, shown } = target;
  const place = made === undefined ? undefined : client.tokenPlace;
  const next = place === undefined ? signInStepText(client, name) : tokenStepText(place, client, variableOf(name));
  const { home } = parts.configFiles.environment;
  const kept = written.backup === undefined ? '' : t('The text before is in {0}.', homePath(written.backup, home));
  const text = [t('{0} is now in {1}.', name, shown), next, kept].filter((part) => part !== '').join(' ');
  const open = t('Open File');
  const undo = t('Undo');
  const copyToken = t('Copy Token');
  const needsToken = place !== undefined && place.type !== 'file';
  for (let buttons = needsToken ? [copyToken, open, undo] : [open, undo]; ; buttons = [open, undo]) {
    const chosen = await vscode.window.showInformationMessage(text, ...buttons);
    if (chosen === open) await openConfigFile(file.path);
    if (chosen === undo) await undoAdding(parts, added);
    if (chosen !== copyToken || made === undefined) return;
    await vscode.env.clipboard.writeText(made.token);
  }
}

/** Gives the file its text from before; or, if it was changed since, takes only the server out of it. */
async function undoAdding({ configFiles }: Parts, added: Added): Promise<void> {
  const { target, name, before, written, revoke } = added;
  const restored = await configFiles.restore(written.file, before);
  const undone =
    restored.type === 'failed' && restored.problem === 'changed' ? await takeOut(configFiles, target, name) : restored;
  if (undone.type === 'failed') {
    await vscode.window.showWarningMessage(fileFailureText(undone.problem, target.shown), t('OK'));
    return;
  }
  await revoke();
  vscode.window.setStatusBarMessage(t('$(discard) {0} is no longer in {1}', name, target.shown), 5000);
}

async function takeOut(files: ConfigFiles, { client, file }: ClientTarget, name: string): Promise<ConfigFileWritten> {
  const read = await files.read(file.path);
  if (read.type === 'failed') return read;
  const edit = removeServer(read.file.text, client, name);
  if (edit.type === 'missing') return { type: 'written', file: read.file };
  return edit.type === 'edited' ? files.write(read.file, edit.text) : { type: 'failed', problem: 'changed' };
}
