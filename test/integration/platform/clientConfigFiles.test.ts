import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ConfigFiles, ConfigFileText, ConfigFileWritten } from '../../../src/mcpConfig/configFiles.ts';
import { createClientConfigFiles } from '../../../src/platform/clientConfigFiles.ts';

const BEFORE = '{\n  "mcpServers": {} // mine\n}\n';
const AFTER = '{\n  "mcpServers": { "a": {} } // mine\n}\n';
/** The user that is nobody, as whom a test meets the permissions that root does not. */
const NOBODY = 65_534;

describe('files of other MCP clients', () => {
  let folder = '';
  let file = '';
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'scopekeeper-config-')));
    file = path.join(folder, 'mcp.json');
  });
  afterEach(async () => {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true });
  });

  const filesOf = (beforeRename?: () => Promise<void>): ConfigFiles =>
    createClientConfigFiles({
      platform: process.platform,
      env: {},
      home: folder,
      ...(beforeRename !== undefined && { beforeRename }),
    });

  async function readOf(files: ConfigFiles, name = file): Promise<ConfigFileText> {
    const result = await files.read(name);
    assert.equal(result.type, 'read', JSON.stringify(result));
    return result.type === 'read' ? result.file : assert.fail();
  }

  test('a file is written, and what was there is kept beside it', async () => {
    await writeFile(file, BEFORE);
    const files = filesOf();
    const backup = backupOf(await files.write(await readOf(files), AFTER));
    assert.equal(backup, `${file}.scopekeeper-backup`);
    assert.equal(await readFile(file, 'utf8'), AFTER);
    assert.equal(await readFile(backup, 'utf8'), BEFORE);
    assert.deepEqual((await readdir(folder)).toSorted(), ['mcp.json', 'mcp.json.scopekeeper-backup']);
  });

  test('P36 what is kept of the file can be without the secrets that leave it', async () => {
    await writeFile(file, BEFORE.replace('mine', 'sk-1'));
    const files = filesOf();
    const backup = backupOf(await files.write(await readOf(files), AFTER, BEFORE));
    assert.equal(await readFile(backup, 'utf8'), BEFORE);
    assert.equal(await readFile(file, 'utf8'), AFTER);
  });

  for (const [mark, isFile] of [
    ['.git', false],
    ['.git', true],
    ['.hg', false],
    ['.svn', false],
  ] as const) {
    test(`a file below ${mark}${isFile ? ', which is a file,' : ''} is under version control, by a link too`, async () => {
      const repository = path.join(folder, 'site');
      const below = path.join(repository, 'a', 'b', 'mcp.json');
      const files = filesOf();
      await mkdir(path.dirname(below), { recursive: true });
      await writeFile(below, BEFORE);
      assert.equal(await files.isVersioned(below), false);
      const marked = path.join(repository, mark);
      await (isFile ? writeFile(marked, 'gitdir: elsewhere\n') : mkdir(marked));
      assert.equal(await files.isVersioned(below), true);
      assert.equal(await files.isVersioned(path.join(repository, 'new', 'mcp.json')), true);
      assert.equal(await files.isVersioned(file), false);
      if (process.platform === 'win32') return;
      await symlink(below, file);
      assert.equal(await files.isVersioned(file), true);
    });
  }

  test('a file that is not there is made with its folders, for its person alone, without a backup', async () => {
    const inNew = path.join(folder, 'new', 'folder', 'mcp.json');
    const files = filesOf();
    const before = await readOf(files, inNew);
    assert.deepEqual(before, { path: inNew, text: '', exists: false, hasBom: false });
    const written = await files.write(before, AFTER);
    assert.deepEqual(written, { type: 'written', file: { ...before, text: AFTER, exists: true } });
    assert.equal(await readFile(inNew, 'utf8'), AFTER);
    if (process.platform !== 'win32') assert.equal((await stat(inNew)).mode & 0o777, 0o600);
  });

  test('no backup is ever written over; one that holds the same is enough', async () => {
    const files = filesOf();
    const backups = [];
    for (const text of ['1', '2', '1', '3']) {
      await writeFile(file, text);
      backups.push(path.basename(backupOf(await files.write(await readOf(files), AFTER))));
    }
    const name = 'mcp.json.scopekeeper-backup';
    assert.deepEqual(backups, [name, `${name}-2`, name, `${name}-3`]);
    for (const [index, backup] of [name, `${name}-2`, `${name}-3`].entries())
      assert.equal(await readFile(path.join(folder, backup), 'utf8'), String(index + 1));
  });

  test('a link stays one: its target is written, and keeps its mode, as does the backup', async () => {
    const dotfiles = path.join(folder, 'dotfiles');
    await mkdir(dotfiles);
    const target = path.join(dotfiles, 'real.json');
    await writeFile(target, BEFORE);
    await chmod(target, 0o640);
    await symlink(target, path.join(folder, 'middle'));
    await symlink('middle', file);
    const files = filesOf();
    const backup = backupOf(await files.write(await readOf(files), AFTER));
    assert.equal(await readFile(target, 'utf8'), AFTER);
    assert.equal(await realpath(file), target);
    assert.deepEqual(await readdir(dotfiles), ['real.json']);
    assert.equal(path.dirname(backup), folder);
    if (process.platform !== 'win32') {
      for (const one of [target, backup]) assert.equal((await stat(one)).mode & 0o777, 0o640, one);
    }
  });

  test('a link to a file that is not there yet leads to where the file is made', async () => {
    await symlink(path.join('sub', 'real.json'), file);
    const files = filesOf();
    const written = await files.write(await readOf(files), AFTER);
    assert.equal(written.type, 'written');
    assert.equal(await readFile(path.join(folder, 'sub', 'real.json'), 'utf8'), AFTER);
    assert.equal(await realpath(file), path.join(folder, 'sub', 'real.json'));
  });

  test('the mark of byte order is kept, and not among the text', async () => {
    await writeFile(file, `\uFEFF${BEFORE}`);
    const files = filesOf();
    const before = await readOf(files);
    assert.equal(before.text, BEFORE);
    await files.write(before, AFTER);
    assert.equal(await readFile(file, 'utf8'), `\uFEFF${AFTER}`);
  });

  test('what is not UTF-8 is not read, so that nobody spoils it', async () => {
    for (const bytes of [Buffer.from(`\uFEFF${BEFORE}`, 'utf16le'), Buffer.from([0x7b, 0xff, 0x7d])]) {
      await writeFile(file, bytes);
      assert.deepEqual(await filesOf().read(file), { type: 'failed', problem: 'not_text' });
    }
  });

  const changes: readonly (readonly [string, () => Promise<void>])[] = [
    ['written', async () => writeFile(file, `${BEFORE} `)],
    ['deleted', async () => rm(file)],
  ];
  for (const [title, change] of changes) {
    test(`a file that another program has ${title} since it was read is left alone`, async () => {
      await writeFile(file, BEFORE);
      const files = filesOf();
      const before = await readOf(files);
      await change();
      assert.deepEqual(await files.write(before, AFTER), { type: 'failed', problem: 'changed' });
      assert.notEqual(await readFile(file, 'utf8').catch(() => ''), AFTER);
    });

    test(`the same when it is ${title} while the new text waits on disk`, async () => {
      await writeFile(file, BEFORE);
      const files = filesOf(change);
      assert.deepEqual(await files.write(await readOf(files), AFTER), { type: 'failed', problem: 'changed' });
      assert.notEqual(await readFile(file, 'utf8').catch(() => ''), AFTER);
      assert.deepEqual(await leftovers(folder), []);
    });
  }

  test('a file that appears where there was none is left alone', async () => {
    const files = filesOf();
    const before = await readOf(files);
    await writeFile(file, '');
    assert.deepEqual(await files.write(before, AFTER), { type: 'failed', problem: 'changed' });
    assert.equal(await readFile(file, 'utf8'), '');
  });

  test('what a crash left of an earlier write is in nobody’s way', async () => {
    await writeFile(file, BEFORE);
    await writeFile(`${file}.scopekeeper-new-${process.pid}`, 'half');
    const files = filesOf();
    assert.equal((await files.write(await readOf(files), AFTER)).type, 'written');
    assert.equal(await readFile(file, 'utf8'), AFTER);
    assert.deepEqual(await leftovers(folder), []);
  });

  test('of two writes at once one is done, and the other told of it, also by a link', async () => {
    await writeFile(file, BEFORE);
    const link = path.join(folder, 'link.json');
    await symlink(file, link);
    const files = filesOf();
    const [before, same] = [await readOf(files), await readOf(files, link)];
    const both = await Promise.all([files.write(before, AFTER), files.write(same, `${AFTER} `)]);
    // Which of them comes first is the file system's: it finds out where the link leads.
    assert.deepEqual(both.map((one) => (one.type === 'failed' ? one.problem : one.type)).toSorted(), [
      'changed',
      'written',
    ]);
    assert.equal(await readFile(file, 'utf8'), both[0].type === 'written' ? AFTER : `${AFTER} `);
  });

  test('taking back gives the text before, or no file, and leaves no second backup', async () => {
    const files = filesOf();
    const none = await readOf(files);
    const first = await files.write(none, AFTER);
    assert.ok(first.type === 'written');
    assert.deepEqual(await files.restore(first.file, none), { type: 'written', file: none });
    assert.deepEqual(await readdir(folder), []);

    await writeFile(file, BEFORE);
    const before = await readOf(files);
    const second = await files.write(before, AFTER);
    assert.ok(second.type === 'written');
    assert.equal((await files.restore(second.file, before)).type, 'written');
    assert.equal(await readFile(file, 'utf8'), BEFORE);
    assert.deepEqual((await readdir(folder)).toSorted(), ['mcp.json', 'mcp.json.scopekeeper-backup']);
  });

  test('taking back what was changed meanwhile changes nothing', async () => {
    const files = filesOf();
    const none = await readOf(files);
    const written = await files.write(none, AFTER);
    assert.ok(written.type === 'written');
    await writeFile(file, BEFORE);
    assert.deepEqual(await files.restore(written.file, none), { type: 'failed', problem: 'changed' });
    assert.equal(await readFile(file, 'utf8'), BEFORE);
  });

  // Windows has no such permissions, and elsewhere root needs to be somebody else for them.
  const permissions = process.platform === 'win32' ? [] : (['folder', 'file'] as const);
  for (const what of permissions) {
    test(`a ${what} that may not be written to is told of, and nothing is lost`, async () => {
      await writeFile(file, BEFORE);
      await chmod(file, what === 'file' ? 0o444 : 0o666);
      await chmod(folder, what === 'folder' ? 0o555 : 0o777);
      const files = filesOf();
      const written = await asNobody(async () => files.write(await readOf(files), AFTER));
      assert.deepEqual(written, { type: 'failed', problem: 'EACCES' });
      assert.equal(await readFile(file, 'utf8'), BEFORE);
      assert.deepEqual(await readdir(folder), ['mcp.json']);
    });
  }

  test('what is in the way of a file is told of', async () => {
    await mkdir(file);
    assert.deepEqual(await filesOf().read(file), { type: 'failed', problem: 'EISDIR' });
    await writeFile(path.join(folder, 'plain'), '');
    const read = await filesOf().read(path.join(folder, 'plain', 'mcp.json'));
    assert.equal(read.type === 'failed' && read.problem, 'ENOTDIR');
  });

  test('a client is installed when what it leaves on disk is there', async () => {
    const files = filesOf();
    const client = { scope: 'user', path: file, evidence: path.join(folder, '.client') } as const;
    assert.equal(await files.isInstalled(client), false);
    await mkdir(client.evidence);
    assert.equal(await files.isInstalled(client), true);
  });

  test('folders from the environment count only where they are meant, and only in full', () => {
    const all = { APPDATA: 'C:\\Roaming', XDG_CONFIG_HOME: '/cfg', CODEX_HOME: '/cx' };
    assert.deepEqual(environmentOf('linux', all), {
      platform: 'linux',
      home: 'HOME',
      configHome: '/cfg',
      codexHome: '/cx',
    });
    assert.deepEqual(environmentOf('darwin', all), { platform: 'darwin', home: 'HOME', codexHome: '/cx' });
    assert.deepEqual(environmentOf('freebsd', {}), { platform: 'linux', home: 'HOME' });
    assert.deepEqual(environmentOf('win32', { ...all, CODEX_HOME: 'D:\\cx' }), {
      platform: 'win32',
      home: 'HOME',
      appData: 'C:\\Roaming',
      codexHome: 'D:\\cx',
    });
    assert.deepEqual(environmentOf('linux', { XDG_CONFIG_HOME: 'cfg', CODEX_HOME: '' }), {
      platform: 'linux',
      home: 'HOME',
    });
  });
});

/** Runs as a user without rights, where this process is root. */
async function asNobody<T>(run: () => Promise<T>): Promise<T> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

function backupOf(written: ConfigFileWritten): string {
  assert.equal(written.type, 'written', JSON.stringify(written));
  const backup = written.type === 'written' ? written.backup : undefined;
  assert.ok(backup !== undefined, 'there is no backup');
  return backup;
}

function environmentOf(platform: NodeJS.Platform, env: Record<string, string>): ConfigFiles['environment'] {
  return createClientConfigFiles({ platform, env, home: 'HOME' }).environment;
}

async function leftovers(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.includes('.scopekeeper-new'));
}
