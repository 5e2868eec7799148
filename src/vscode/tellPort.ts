import * as vscode from 'vscode';
import type { PortNews } from '../connections/ports.ts';
import { settingIds } from './ids.ts';
import { t } from './localize.ts';
import { openSetting } from './openSetting.ts';
import { portText } from './portText.ts';

/** Tells what became of the port that was set; resolves when it is shown. */
export async function tellPort(news: PortNews): Promise<void> {
  const openSettings = t('Open Settings');
  const open = async (): Promise<void> => {
    const chosen = await vscode.window.showWarningMessage(portText(news), openSettings);
    if (chosen === openSettings) await openSetting(settingIds.gatewayPort);
  };
  void open(); // the answer may never come, and nothing waits for it
}
