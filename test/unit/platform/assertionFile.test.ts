import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { readAssertionFile } from '../../../src/platform/assertionFile.ts';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3In0.c2lnbmF0dXJl';

async function temporaryFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'assertion-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  return path.join(folder, 'token');
}

function refusal(file: string, problem: string) {
  return (error: unknown): boolean => {
    assert.ok(isConnectionError(error, 'assertion_unreadable'));
    assert.deepEqual(error.details, { path: file, problem });
    return true;
  };
}

describe('SEP-1933 the identity token of a workload', () => {
  it('is read anew each time, through the link by which a platform replaces it', async (t) => {
    const link = await temporaryFile(t);
    await writeFile(`${link}.1`, TOKEN);
    await writeFile(`${link}.2`, `\uFEFF ${TOKEN}2\r\n`);
    await symlink(`${link}.1`, link);
    assert.equal(await readAssertionFile(link), TOKEN);
    await rm(link);
    await symlink(`${link}.2`, link);
    assert.equal(await readAssertionFile(link), `${TOKEN}2`);
  });

  for (const [name, content] of [
    ['an empty file', ''],
    ['white space', ' \n\t'],
    ['two tokens', `${TOKEN}\n${TOKEN}`],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n'],
    ['another secret', 'ghp_0123456789'],
    ['JSON', `{"token":"${TOKEN}"}`],
    ['bytes', Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80])],
    ['a token that is too long', `${TOKEN}${'x'.repeat(64 * 1024)}`],
  ] as const) {
    it(`P36 is not ${name}: no other content is sent or told`, async (t) => {
      const file = await temporaryFile(t);
      await writeFile(file, content);
      await assert.rejects(readAssertionFile(file), refusal(file, 'not_a_token'));
    });
  }

  it('is not looked for in a file of any size, of which only the beginning is read', async (t) => {
    const file = await temporaryFile(t);
    await writeFile(file, TOKEN);
    // A hole, which needs no disk: more than a string can hold.
    await truncate(file, 2 ** 30);
    await assert.rejects(readAssertionFile(file), refusal(file, 'not_a_token'));
  });

  it('that is not there, or in no file, is told with the path', async (t) => {
    const file = await temporaryFile(t);
    await assert.rejects(readAssertionFile(file), refusal(file, 'ENOENT'));
    await assert.rejects(readAssertionFile(path.dirname(file)), refusal(path.dirname(file), 'not_a_file'));
    await assert.rejects(readAssertionFile('token'), refusal('token', 'not_absolute'));
  });

  it('is not waited for at a pipe or a device', async (t) => {
    const pipe = await temporaryFile(t);
    if (process.platform === 'win32') return;
    execFileSync('mkfifo', [pipe]);
    for (const file of [pipe, '/dev/zero']) {
      await assert.rejects(readAssertionFile(file), refusal(file, 'not_a_file'));
    }
  });
});
