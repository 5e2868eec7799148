import * as vscode from 'vscode';
import { lifetimesFrom } from '../gateway/authorization/lifetimes.ts';
import type { TokenLifetimes } from '../gateway/ports.ts';
import { settingIds } from './ids.ts';
import { portFrom, stepUpTimeoutFrom } from './gatewaySettingValues.ts';

/** The port that the person set; 0 for the one that was chosen at the first start. */
export function wantedPort(): number {
  return portFrom(valueOf(settingIds.gatewayPort));
}

/** How long what the gateway gives is good (P39, P40). */
export function tokenLifetimes(): TokenLifetimes {
  return lifetimesFrom({
    accessTokenTtl: valueOf(settingIds.accessTokenTtl),
    refreshTokenTtl: valueOf(settingIds.refreshTokenTtl),
    refreshGrace: valueOf(settingIds.refreshGrace),
  });
}

/** How long a local client is kept waiting for the person, in ms. */
export function stepUpTimeoutMs(): number {
  return stepUpTimeoutFrom(valueOf(settingIds.stepUpTimeout));
}

function valueOf(id: string): unknown {
  return vscode.workspace.getConfiguration().get<unknown>(id);
}
