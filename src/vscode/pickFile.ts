import * as vscode from 'vscode';
import { isOAuthError, OAuthError } from '../oauth/errors.ts';
import { readSigningKey } from '../oauth/signingKey.ts';
import { errorText } from './errorText.ts';
import { t } from './localize.ts';

/** A key takes a few KiB; what is larger is another file. */
const LARGEST_KEY_BYTES = 64 * 1024;

/** Lets the person choose one file. Undefined when they give up. */
export async function pickFile(
  title: string,
  filters: Readonly<Record<string, string[]>> = {},
): Promise<vscode.Uri | undefined> {
  const picked = await vscode.window.showOpenDialog({ title, openLabel: t('Choose'), filters });
  return picked?.[0];
}

/**
 * Lets the person choose the file of a private key, until it holds one, and gives its text. Undefined when they give up.
 * The text is a secret.
 */
export async function askPrivateKey(): Promise<string | undefined> {
  for (;;) {
    const file = await pickFile(t('The Private Key of the Client'), {
      [t('Private keys')]: ['pem', 'key', 'p8', 'json', 'jwk'],
      [t('All files')]: ['*'],
    });
    if (file === undefined) return undefined;
    try {
      return await readKey(file);
    } catch (error) {
      if (!(error instanceof vscode.FileSystemError) && !isOAuthError(error, 'signing_key_invalid')) throw error;
      const { message, nextStep } = keyProblem(error);
      const again = t('Choose Another File…');
      if ((await vscode.window.showWarningMessage(message, { modal: true, detail: nextStep }, again)) !== again)
        return undefined;
    }
  }
}

/** Throws `signing_key_invalid`, and what the file system says. */
async function readKey(file: vscode.Uri): Promise<string> {
  const { size } = await vscode.workspace.fs.stat(file);
  if (size > LARGEST_KEY_BYTES) throw new OAuthError('signing_key_invalid', { problem: 'not_a_key' });
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  await readSigningKey(text);
  return text;
}

function keyProblem(error: unknown): { message: string; nextStep: string } {
  return isOAuthError(error)
    ? errorText(error)
    : { message: t('This file cannot be read.'), nextStep: t('Check that you may read it, or choose another one.') };
}
