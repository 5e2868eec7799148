import { spawn } from 'node:child_process';
import path from 'node:path';
import { CodeServer } from './codeServer.ts';
import { startKeyring } from './keyring.ts';
import { packVsix } from './packVsix.ts';
import { cleanEnvironment, exitCodeOf, outputOf } from './processes.ts';
import { provision } from './provision.ts';
import { REPOSITORY, VSIX_FILE } from './standPaths.ts';

const CODE_SERVER_PORT = 4710;

/** A pause of a laptop should not cost the window. */
const RECONNECTION_GRACE_S = 600;

export interface StartedEditor {
  /** Where to open it in a browser; undefined when it has a window of its own. */
  readonly url: string | undefined;
  /** Resolves when the person has closed it; never for one in a browser. */
  readonly closed: Promise<unknown>;
  dispose(): Promise<void>;
}

/**
 * Opens the desktop editor on the work tree's development build.
 * @param folder where its data last
 */
export async function startDesktop(program: string, folder: string, workspace: string): Promise<StartedEditor> {
  console.log('Building the extension');
  await outputOf(process.execPath, ['esbuild.mjs'], { cwd: REPOSITORY });
  const config = path.join(folder, 'config');
  const args = [
    `--extensionDevelopmentPath=${REPOSITORY}`,
    `--user-data-dir=${path.join(folder, 'user-data')}`,
    `--extensions-dir=${path.join(folder, 'extensions')}`,
    '--disable-workspace-trust',
    '--skip-welcome',
    '--new-window',
    '--wait',
    workspace,
  ];
  const isScript = process.platform === 'win32';
  const editor = spawn(isScript ? `"${program}"` : program, isScript ? args.map((arg) => `"${arg}"`) : args, {
    // The extension's public data stay apart from those of an installed one.
    env: cleanEnvironment({ XDG_CONFIG_HOME: config, APPDATA: config }),
    stdio: 'ignore',
    shell: isScript,
  });
  return {
    url: undefined,
    closed: exitCodeOf(editor),
    dispose: async () => {
      editor.kill();
      await exitCodeOf(editor);
    },
  };
}

/**
 * Starts code-server with the freshly packed extension, and a keyring that lasts.
 * @param folder where its data last
 */
export async function startCodeServer(folder: string, workspace: string): Promise<StartedEditor> {
  await provision();
  console.log('Building and packing the extension');
  await packVsix();
  const keyring = await startKeyring(path.join(folder, 'keyring'));
  try {
    const server = await CodeServer.start({
      folder: path.join(folder, 'code-server'),
      port: CODE_SERVER_PORT,
      env: keyring.env,
      reconnectionGraceSeconds: RECONNECTION_GRACE_S,
    });
    console.log('Installing the extension into code-server');
    await server.installExtension(VSIX_FILE);
    return {
      url: server.urlFor(workspace),
      closed: new Promise(() => undefined),
      dispose: async () => {
        await server.dispose();
        await keyring.dispose();
      },
    };
  } catch (error) {
    await keyring.dispose();
    throw error;
  }
}
