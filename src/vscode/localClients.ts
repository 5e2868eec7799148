import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type { LocalAccess } from '../gateway/localAccess.ts';
import { accessIcon, accessKindText, accessName, endText, revokeDetail, toolsText, useText } from './accessText.ts';
import { askAllowedTools } from './chooseTools.ts';
import { confirm } from './confirm.ts';
import { commandIds } from './ids.ts';
import { t } from './localize.ts';
import { askChoice } from './questions.ts';
import { joined } from './rowText.ts';
import { withoutLinks } from './untrustedText.ts';

export interface LocalClientParts {
  readonly service: Pick<ConnectionService, 'connections' | 'get'>;
  readonly gateway: GatewayService;
}

type AccessAction = 'tools' | 'revoke';

type ManageChoice =
  | { readonly type: 'access'; readonly access: LocalAccess; readonly action?: AccessAction | undefined }
  | { readonly type: 'new' }
  | { readonly type: 'revokeAll' };

interface ManageItem extends vscode.QuickPickItem {
  readonly choice?: ManageChoice;
}

/** Lists who has access to what, and lets the person change tools, revoke one or all, and make tokens. */
export async function manageLocalClients(parts: LocalClientParts): Promise<void> {
  const { gateway } = parts;
  const choice = await pickClient(parts);
  if (choice === undefined) return;
  switch (choice.type) {
    case 'new':
      await vscode.commands.executeCommand(commandIds.newToken);
      return;
    case 'revokeAll':
      await revokeAll(gateway);
      return;
    case 'access': {
      const action = choice.action ?? (await askAction(choice.access));
      if (action === 'tools') await changeTools(parts, choice.access);
      if (action === 'revoke') await revokeAccess(parts, choice.access);
      // Who tidies up has more than one to look at.
      if (action !== undefined) await manageLocalClients(parts);
    }
  }
}

/** Lets the person choose anew which tools an access is for. Does nothing for one that has ended. */
export async function changeTools({ service, gateway }: LocalClientParts, access: LocalAccess): Promise<void> {
  const connection = service.get(access.connection ?? '') ?? service.connections[0];
  if (connection === undefined) return;
  const answer = await askAllowedTools(gateway, {
    title: t('Tools for {0}', withoutLinks(accessName(access))),
    connection,
    before: access.allowedTools,
  });
  if (answer.type === 'answered') await gateway.changeTools(access.id, answer.value);
}

/** Ends an access at once, if the person means it. */
export async function revokeAccess({ service, gateway }: LocalClientParts, access: LocalAccess): Promise<void> {
  const name = accessName(access);
  const server = serverName(service, access);
  const question = t('Revoke the access of {0} to {1}?', name, server);
  if (!(await confirm(question, revokeDetail(access.kind), t('Revoke')))) return;
  await gateway.revoke([access.id]);
  vscode.window.setStatusBarMessage(t('$(pass) Revoked the access of {0}', withoutLinks(name)), 5000);
}

async function revokeAll(gateway: GatewayService): Promise<void> {
  const ids = gateway.accesses.map(({ id }) => id);
  const detail = t('All programs on this computer are refused from now on, until you let them in again.');
  if (!(await confirm(t('Revoke the access of all {0} local clients?', ids.length), detail, t('Revoke All')))) return;
  await gateway.revoke(ids);
  vscode.window.setStatusBarMessage(t('$(pass) Revoked all access'), 5000);
}

async function askAction(access: LocalAccess): Promise<AccessAction | undefined> {
  const answer = await askChoice<AccessAction>({
    title: withoutLinks(accessName(access)),
    placeholder: t('What do you want to do?'),
    choices: [
      { value: 'tools', label: t('Change Tools…'), icon: 'checklist' },
      { value: 'revoke', label: t('Revoke…'), icon: 'trash' },
    ],
  });
  return answer.type === 'answered' ? answer.value : undefined;
}

async function pickClient({ service, gateway }: LocalClientParts): Promise<ManageChoice | undefined> {
  const picker = vscode.window.createQuickPick<ManageItem>();
  picker.title = t('Local Clients');
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  const toolsButton = { iconPath: new vscode.ThemeIcon('checklist'), tooltip: t('Change Tools…') };
  const revokeButton = { iconPath: new vscode.ThemeIcon('trash'), tooltip: t('Revoke…') };
  const show = () => {
    const now = Date.now();
    const { accesses } = gateway;
    const rows = accesses.map((access): ManageItem => {
      return {
        label: withoutLinks(accessName(access)),
        description: withoutLinks(serverName(service, access)),
        detail: joined(
          useText(access.lastUsedAt, now),
          toolsText(access.allowedTools),
          accessKindText(access.kind),
          endText(access, now),
        ),
        iconPath: new vscode.ThemeIcon(accessIcon(access)),
        buttons: [toolsButton, revokeButton],
        choice: { type: 'access', access },
      };
    });
    picker.placeholder = rows.length === 0 ? t('No program has access yet') : t('Who may use your servers');
    const separator: ManageItem = { label: '', kind: vscode.QuickPickItemKind.Separator };
    picker.items = [
      ...rows,
      ...(rows.length === 0 ? [] : [separator]),
      { label: t('New Token…'), iconPath: new vscode.ThemeIcon('add'), choice: { type: 'new' } },
      ...(rows.length < 2
        ? []
        : [
            {
              label: t('Revoke All…'),
              iconPath: new vscode.ThemeIcon('trash'),
              choice: { type: 'revokeAll' },
            } satisfies ManageItem,
          ]),
    ];
  };
  const ids = () => gateway.accesses.map(({ id }) => id).join(' ');
  let shown = ids();
  show();
  const subscription = gateway.onDidChangeAccesses(() => {
    // Only who comes and goes: a list that moves while one chooses is worse than a time that is a little old.
    if (ids() === shown) return;
    shown = ids();
    show();
  });
  try {
    return await new Promise<ManageChoice | undefined>((resolve) => {
      picker.onDidTriggerItemButton(({ item, button }) => {
        if (item.choice?.type === 'access')
          resolve({ ...item.choice, action: button === toolsButton ? 'tools' : 'revoke' });
      });
      picker.onDidAccept(() => {
        const choice = picker.activeItems[0]?.choice;
        if (choice !== undefined) resolve(choice);
      });
      picker.onDidHide(() => resolve(undefined));
      picker.show();
    });
  } finally {
    subscription.dispose();
    picker.dispose();
  }
}

/** What an access is for, as a name; not yet escaped. */
function serverName(service: LocalClientParts['service'], { connection }: LocalAccess): string {
  if (connection === undefined) return t('all servers');
  const found: Connection | undefined = service.get(connection);
  return found?.name ?? t('a server that was removed');
}

/** The access in what VS Code passes to a command: a row of the tree. Undefined when it has ended meanwhile. */
export function accessOf(gateway: GatewayService, argument: unknown): LocalAccess | undefined {
  if (typeof argument !== 'object' || argument === null || !('accessId' in argument)) return undefined;
  return gateway.accesses.find(({ id }) => id === argument.accessId);
}
