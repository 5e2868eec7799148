import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { ConnectionId } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import { ConnectionError, describeError } from '../../connections/errors.ts';
import type { Clock, Log } from '../../connections/ports.ts';
import type { AuthorizationTrace } from '../../connections/trace.ts';
import type { WindowRole } from '../../owner/windowRole.ts';
import { settingIds } from '../ids.ts';
import { t } from '../localize.ts';
import { displayUrl, shortPath, withoutLinks } from '../untrustedText.ts';
import { diagnostics, type DiagnosedConnection, type DiagnosedPlace } from './diagnostics.ts';

export interface ExportParts {
  readonly service: ConnectionService;
  readonly role: Pick<WindowRole, 'state'>;
  /** How many secrets this window keeps in which place. */
  readonly secretPlaces: () => Readonly<Record<string, number>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Of this extension. */
  readonly version: string;
}

/**
 * Asks where to, and writes what is known of one connection, or of all, to a file. Holds no secret.
 * Throws `connection_unknown`, and `storage_failed` when the file cannot be written.
 */
export async function exportDiagnostics(parts: ExportParts, id?: ConnectionId): Promise<void> {
  const { clock, service } = parts;
  const one = id === undefined ? undefined : service.get(id);
  if (id !== undefined && one === undefined) throw new ConnectionError('connection_unknown', { id });
  const day = new Date(clock.now()).toISOString().slice(0, 10);
  const name = ['scopekeeper', ...(one === undefined ? [] : [one.slug]), day].join('-');
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
  const file = await vscode.window.showSaveDialog({
    title: t('Export Diagnostics'),
    saveLabel: t('Export'),
    defaultUri: vscode.Uri.joinPath(folder, `${name}.json`),
    filters: { JSON: ['json'] },
  });
  if (file === undefined) return;
  const connections = await Promise.all(
    (one === undefined ? service.connections : [one]).map(async (connection): Promise<DiagnosedConnection> => ({
      connection,
      activity: service.activity(connection.id),
      trace: await traceOf(parts, connection.id),
    })),
  );
  const document = diagnostics(placeOf(parts), connections, clock.now());
  try {
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(`${JSON.stringify(document, undefined, 2)}\n`));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ConnectionError('storage_failed', { operation: 'write', path: file.fsPath, problem }, { cause: error });
  }
  void offerToOpen(file); // the answer may never come
}

/** The steps of one connection; without them the rest is still worth having. */
async function traceOf({ log, service }: ExportParts, id: ConnectionId): Promise<AuthorizationTrace | undefined> {
  try {
    return await service.trace(id);
  } catch (error) {
    log.warn(`The steps of ${id} could not be read: ${describeError(error)}`);
    return undefined;
  }
}

async function offerToOpen(file: vscode.Uri): Promise<void> {
  const open = t('Open');
  const message = t('Saved to {0}. No token or other secret is in it.', withoutLinks(file.fsPath));
  if ((await vscode.window.showInformationMessage(message, open)) === open) await vscode.window.showTextDocument(file);
}

function placeOf({ role, secretPlaces, version }: ExportParts): DiagnosedPlace {
  return {
    versions: {
      scopekeeper: version,
      editor: vscode.version,
      product: vscode.env.appName,
      node: process.versions.node,
    },
    platform: {
      os: process.platform,
      architecture: process.arch,
      remote: vscode.env.remoteName ?? null,
      interface: vscode.env.uiKind === vscode.UIKind.Web ? 'web' : 'desktop',
      language: vscode.env.language,
    },
    window: { role: role.state.type },
    secrets: { keychain: KEYCHAINS[process.platform] ?? 'Secret Service', ...ownSecrets(role, secretPlaces) },
    settings: settingsNow(),
  };
}

const KEYCHAINS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: 'macOS Keychain',
  win32: 'Windows Credential Manager',
};

/** Only the owner knows where they are. */
function ownSecrets(role: ExportParts['role'], secretPlaces: ExportParts['secretPlaces']) {
  return role.state.type === 'owner' ? { keptIn: secretPlaces() } : {};
}

/** The settings; a URL may hold what is nobody's business, and a path names the person. */
function settingsNow(): Readonly<Record<string, unknown>> {
  const values = vscode.workspace.getConfiguration();
  return Object.fromEntries(
    Object.values(settingIds).map((id) => {
      const value = values.get<unknown>(id);
      if (id === settingIds.extraCaFile) return [id, typeof value === 'string' ? shortPath(value) : null];
      if (id === settingIds.clientMetadataUrl)
        return [id, typeof value === 'string' && value !== '' ? displayUrl(value) : value];
      return [id, value];
    }),
  );
}
