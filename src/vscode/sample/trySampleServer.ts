import * as vscode from 'vscode';
import { type ConnectionId, currentGrant } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import { t } from '../localize.ts';
import { returnHere } from '../remote/signInReturn.ts';
import type { SignIn } from '../signIn.ts';

export interface TrySampleParts {
  readonly service: ConnectionService;
  /** Has the sample server served, and gives its URL; see `SharedService`. */
  readonly sampleUrl: () => Promise<string>;
  readonly signIn: SignIn;
  /** Shows the row of a connection. */
  readonly reveal: (id: ConnectionId) => Promise<void>;
}

/** Connects the sample server inside the extension: the browser opens its page, and *Allow* there is all that is left. */
export async function trySampleServer({ reveal, sampleUrl, service, signIn }: TrySampleParts): Promise<void> {
  if (returnHere() === 'paste' && !(await triesAnyway())) return;
  const url = await sampleUrl();
  const known = service.connections.find(({ serverUrl }) => serverUrl === url);
  if (known !== undefined && currentGrant(known) !== undefined) {
    await reveal(known.id);
    vscode.window.setStatusBarMessage(t('$(pass) The sample server is connected already'), 5000);
    return;
  }
  await signIn.run(known ?? (await service.add(url, t('Sample Notes'))));
}

/** Its page is on the computer that the extension runs on, and the browser is on another one. */
async function triesAnyway(): Promise<boolean> {
  const tryAnyway = t('Try Anyway');
  const text = t(
    'The sample server runs on the computer that this editor runs on, and your browser is on another one: its page cannot be opened there.',
  );
  return (await vscode.window.showInformationMessage(text, tryAnyway)) === tryAnyway;
}
