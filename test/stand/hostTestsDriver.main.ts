// Runs under Node 22 or later: starts the editor with the extension and its tests by @vscode/test-electron.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from '@vscode/test-electron';
import { fileExists } from './fileExists.ts';
import { makeAuthority } from '../servers/certificates.ts';
import { HOST_TEST_RUNNER, PROBE_EXTENSION, SYSTEM_AUTHORITY_VARIABLE, UNPACKED_EXTENSION } from './hostTests.ts';
import { REPOSITORY } from './standPaths.ts';

const scratch = await mkdtemp(path.join(tmpdir(), 'scopekeeper-host-'));
try {
  const workspace = path.join(scratch, 'workspace');
  await mkdir(workspace);
  const probe = path.join(REPOSITORY, PROBE_EXTENSION);
  const hasProbe = await fileExists(path.join(probe, 'package.json'));
  await runTests({
    extensionDevelopmentPath: hasProbe ? [UNPACKED_EXTENSION, probe] : [UNPACKED_EXTENSION],
    extensionTestsPath: HOST_TEST_RUNNER,
    launchArgs: [workspace, `--user-data-dir=${path.join(scratch, 'user-data')}`, '--disable-extensions'],
    extensionTestsEnv: {
      XDG_CONFIG_HOME: path.join(scratch, 'config'),
      APPDATA: path.join(scratch, 'config'),
      ...(process.platform === 'linux' && (await addSystemAuthority())),
    },
    ...(process.argv[2] === 'code-server' ? { vscodeExecutablePath: await writeEditorCommand() } : {}),
  });
} catch (error) {
  // The failed tests have been printed; the exit code says the rest.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
}

/** Makes the editor take an authority of the tests for one of the system's: OpenSSL reads them from a file. */
async function addSystemAuthority(): Promise<Record<string, string>> {
  const { key, cert } = makeAuthority();
  const file = path.join(scratch, 'system-ca.pem');
  await writeFile(file, cert);
  return { SSL_CERT_FILE: file, [SYSTEM_AUTHORITY_VARIABLE]: JSON.stringify({ key, cert }) };
}

/** A program that starts code-server when it is called like `code`. */
async function writeEditorCommand(): Promise<string> {
  const file = path.join(scratch, 'code');
  const script = fileURLToPath(new URL('./editorCommand.main.mjs', import.meta.url));
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' --enable-source-maps '${script}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
}
