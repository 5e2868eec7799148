import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService, DevicePrompt } from '../connections/connectionService.ts';
import { t } from './localize.ts';
import { openBrowser } from './openBrowser.ts';

/** Whether a connection waits for the person to enter a code on another device. */
export function waitsForDevice({ state }: Connection): boolean {
  return state.type === 'authorizing' && state.step === 'waitingForDevice';
}

/** Copies the code that is to be entered, which is no secret by itself (RFC 8628 section 5.1). */
export async function copyDeviceCode(service: ConnectionService, connection: Connection): Promise<void> {
  const device = promptOf(service, connection);
  if (device === undefined) return;
  await vscode.env.clipboard.writeText(device.userCode);
  vscode.window.setStatusBarMessage(t('$(copy) Copied the code'), 5000);
}

/** Opens the page on which the code is entered, with the code in it where the server does that. */
export async function openDevicePage(service: ConnectionService, connection: Connection): Promise<void> {
  const device = promptOf(service, connection);
  if (device !== undefined) await openBrowser(device.verificationUriComplete ?? device.verificationUri);
}

function promptOf(service: ConnectionService, { id }: Connection): DevicePrompt | undefined {
  const device = service.deviceAuthorization(id);
  if (device === undefined) void vscode.window.showInformationMessage(t('No sign-in is waiting for a code.'));
  return device;
}
