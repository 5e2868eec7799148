import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { t } from './localize.ts';
import { showError } from './notifications.ts';
import { pickFile } from './pickFile.ts';
import type { SignIn } from './signIn.ts';
import { shortPath } from './untrustedText.ts';

export interface ChooseCaFileParts {
  readonly service: ConnectionService;
  readonly signIn: SignIn;
  /** Throws `ca_file_unreadable` when there are no certificates in the file. */
  readonly checkCaFile: (path: string) => Promise<void>;
}

/** Asks for a file with more certificate authorities, keeps it for this connection and signs in with it; or takes back the one that it has. */
export async function chooseCaFile(parts: ChooseCaFileParts, connection: Connection): Promise<void> {
  const { service, signIn, checkCaFile } = parts;
  const known = connection.settings.caFile;
  if (known !== undefined) {
    const isAnother = await whetherAnother(known);
    if (isAnother === undefined) return;
    if (!isAnother) {
      await service.configure(connection.id, { caFile: undefined });
      return;
    }
  }
  const chosen = await pickFile(t('Certificate authorities to trust for {0}', connection.name), {
    [t('Certificates')]: ['pem', 'crt', 'cer'],
    [t('All files')]: ['*'],
  });
  const path = chosen?.fsPath;
  if (path === undefined) return;
  try {
    await checkCaFile(path);
  } catch (error) {
    // Not awaited: its button asks again, and the message may stay open for ever.
    void showError(error, { connection });
    return;
  }
  await service.configure(connection.id, { caFile: path });
  await signIn.run(service.get(connection.id) ?? connection);
}

/** Whether the person wants another file, or none any more. Undefined when they give up. */
async function whetherAnother(known: string): Promise<boolean | undefined> {
  const another = {
    label: t('Choose another file…'),
    description: t('instead of {0}', shortPath(known)),
    isAnother: true,
  };
  const none = { label: t('Trust no others than those of this computer'), isAnother: false };
  const title = t('Certificate authorities');
  return (await vscode.window.showQuickPick([another, none], { title }))?.isAnother;
}
