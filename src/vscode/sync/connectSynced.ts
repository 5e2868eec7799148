import * as vscode from 'vscode';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import { t } from '../localize.ts';
import type { SignIn } from '../signIn.ts';
import { displayUrl, withoutLinks } from '../untrustedText.ts';
import type { ServerSync } from './serverSync.ts';
import type { SyncedServer } from './syncedServers.ts';

export interface ConnectSyncedParts {
  readonly service: ConnectionService;
  readonly signIn: SignIn;
  readonly sync: Pick<ServerSync, 'offers' | 'dismiss'>;
}

interface OfferItem extends vscode.QuickPickItem {
  readonly server: SyncedServer;
}

/** Lets the person choose among the servers of other computers. One is signed in to at once; several are listed. */
export async function connectSynced({ service, signIn, sync }: ConnectSyncedParts): Promise<void> {
  if (sync.offers.length === 0) {
    void vscode.window.showInformationMessage(
      t('Settings Sync has brought no servers that are not here. Names and URLs are all that it carries.'),
    );
    return;
  }
  const chosen = await chooseOffers(sync);
  const added: Connection[] = [];
  for (const { name, serverUrl } of chosen) added.push(await service.add(serverUrl, name));
  const [first, ...more] = added;
  if (first === undefined) return;
  if (more.length === 0) return signIn.run(first);
  vscode.window.setStatusBarMessage(t('$(pass) Added {0} servers. Sign in to each from its row', added.length), 8000);
}

async function chooseOffers(sync: ConnectSyncedParts['sync']): Promise<readonly SyncedServer[]> {
  const picker = vscode.window.createQuickPick<OfferItem>();
  picker.title = t('Connect Servers from Your Other Computers');
  picker.placeholder = t('Tick those that you want here. You sign in on this computer anew.');
  picker.canSelectMany = true;
  picker.matchOnDescription = true;
  const dismiss = { iconPath: new vscode.ThemeIcon('eye-closed'), tooltip: t('Do Not Offer Here') };
  const show = () => {
    picker.items = sync.offers.map((server) => ({
      label: withoutLinks(server.name),
      description: displayUrl(server.serverUrl),
      server,
      buttons: [dismiss],
    }));
  };
  show();
  try {
    return await new Promise<readonly SyncedServer[]>((resolve) => {
      picker.onDidTriggerItemButton(({ item }) => {
        sync.dismiss(item.server.serverUrl);
        show();
        if (picker.items.length === 0) resolve([]);
      });
      picker.onDidAccept(() => resolve(picker.selectedItems.map(({ server }) => server)));
      picker.onDidHide(() => resolve([]));
      picker.show();
    });
  } finally {
    picker.dispose();
  }
}
