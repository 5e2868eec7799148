import * as vscode from 'vscode';
import type { ConfigClient } from '../../mcpConfig/configClient.ts';
import type { ConfigProblem } from '../../mcpConfig/configServers.ts';
import { configProblemText, signInStepText } from '../clientConfigText.ts';
import { commandIds } from '../ids.ts';
import { t } from '../localize.ts';

/** What became of an edit of a file, for its message. */
export interface Edited {
  readonly name: string;
  readonly client: ConfigClient;
  readonly shown: string;
  /** False for a file that had other changes, which the person has not saved. */
  readonly isSaved: boolean;
  /** Whether a token went out of it, and where to. */
  readonly token: 'none' | 'moved' | 'dropped';
  readonly isVersioned: boolean;
}

// All of these are not awaited: the command is over, its message may stay open for ever.

/** Says that an entry is not there any more. */
export function tellNoServer(name: string, shown: string): undefined {
  void vscode.window.showWarningMessage(t('{0} is no longer in {1}.', name, shown), t('OK'));
}

/** Says that an entry is a program of this computer. */
export function tellStarted(name: string, { name: client }: ConfigClient): undefined {
  const text = t('{0} is a program that {1} starts on this computer. There is nothing to connect.', name, client);
  void vscode.window.showInformationMessage(text, t('OK'));
}

/** Says that nobody but the client knows the URL. */
export function tellReference(name: string, { name: client }: ConfigClient): undefined {
  void offerToConnect(
    t('The URL of {0} has a variable in it, whose value only {1} knows. Connect it by its whole URL.', name, client),
  );
}

async function offerToConnect(text: string): Promise<void> {
  const connect = t('Connect Server…');
  const chosen = await vscode.window.showInformationMessage(text, connect);
  if (chosen === connect) await vscode.commands.executeCommand(commandIds.connectServer);
}

/** Says that an entry leads through the gateway already. */
export function tellRouted(name: string, connection: string): undefined {
  const text =
    name === connection
      ? t('{0} goes through Scopekeeper already.', name)
      : t('{0} goes through Scopekeeper already, to {1}.', name, connection);
  void vscode.window.showInformationMessage(text, t('OK'));
}

/** Says why a file was left alone. */
export function tellProblem(
  problem: ConfigProblem,
  document: vscode.TextDocument,
  { client, shown }: Pick<Edited, 'client' | 'shown'>,
): undefined {
  const line = document.positionAt(problem.range.offset).line + 1;
  void vscode.window.showWarningMessage(configProblemText(problem, client, shown, line), t('OK'));
}

/** Says that a file, or what it says of this server, is another one than what was looked at. */
export function tellChanged(name: string, shown: string): undefined {
  void vscode.window.showWarningMessage(
    t('{0} was changed meanwhile in {1}, so it was left alone. Try again.', name, shown),
    t('OK'),
  );
}

/** Says that there is no token that could be moved. */
export function tellNoToken(name: string, shown: string): undefined {
  void vscode.window.showInformationMessage(
    t('{1} has no token for {0} that Scopekeeper could send in its place.', name, shown),
    t('OK'),
  );
}

/** Says that more than the token would go out of an entry, so that it was left alone. */
export function tellOtherSecrets(name: string, shown: string): undefined {
  const text = t(
    '{0} has other secrets in {1} besides the token, which would be lost. It was left as it is: take out what is not needed, then try again.',
    name,
    shown,
  );
  void vscode.window.showWarningMessage(text, t('OK'));
}

/** What is said of a file that was edited. */
export function editedText({ name, client, shown, isSaved, token, isVersioned }: Edited): string {
  return [
    token === 'moved'
      ? t('The token of {0} is in the keychain now, and no longer in {1}.', name, shown)
      : t('{0} goes through Scopekeeper now in {1}.', name, shown),
    ...(token === 'dropped' ? [t('The token that was there is gone from the file.')] : []),
    ...(isSaved ? [] : [t('The file is not saved yet, since it had other changes.')]),
    ...(token === 'none' ? [] : [t('Undo brings the token back into the file.')]),
    ...(token !== 'none' && isVersioned
      ? [t('The file is under version control, whose history may still have the token: replace it at the server.')]
      : []),
    signInStepText(client, name),
  ].join(' ');
}

/** Says that a file was edited, and what is still to be done. */
export async function tellEdited(edited: Edited): Promise<void> {
  const learn = t('Learn Why');
  const text = editedText(edited);
  if (edited.token === 'none' || !edited.isVersioned) {
    await vscode.window.showInformationMessage(text, t('OK'));
    return;
  }
  const chosen = await vscode.window.showWarningMessage(text, learn);
  if (chosen === learn) await explainRotation();
}

/** Why a token that was under version control is to be replaced, and how. */
export async function explainRotation(): Promise<void> {
  await vscode.window.showInformationMessage(t('Why replace the token?'), {
    modal: true,
    detail: [
      t(
        'Version control keeps every version of a file, and everyone who has the repository has them all. To take a token out of the newest version does not take it out of the others: whoever finds it there can use it until it is revoked.',
      ),
      t(
        'Make a new token where this one was made, enter it here with “Sign In Another Way…”, then revoke the old one there.',
      ),
      t('This editor keeps earlier versions of files as well, in their timeline.'),
    ].join('\n\n'),
  });
}
