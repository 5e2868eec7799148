import * as vscode from 'vscode';
import { settingIds } from './ids.ts';

/** The https URL of this software's client metadata document, as set by the user; undefined for none. */
export function clientMetadataUrl(): string | undefined {
  const value = vscode.workspace.getConfiguration().get<unknown>(settingIds.clientMetadataUrl);
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  // A client ID that is a URL has a path and is https (CIMD section 3).
  const url = new URL(value);
  return url.protocol === 'https:' && url.pathname !== '/' ? value : undefined;
}

/** Path of a PEM file with certificate authorities to trust for all connections, as set by the user; undefined for none. */
export function extraCaFile(): string | undefined {
  const value = vscode.workspace.getConfiguration().get<unknown>(settingIds.extraCaFile);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Whether the agent mode of the editor is given the connected servers; on unless the user turned it off. */
export function isAgentModeEnabled(): boolean {
  return vscode.workspace.getConfiguration().get<unknown>(settingIds.agentMode) !== false;
}
