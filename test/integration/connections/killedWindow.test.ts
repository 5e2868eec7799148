import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import type { Fetch } from '../../../src/oauth/fetchPort.ts';
import { type Headless, startWithFaults } from '../../headless/headlessManager.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import { OUT_FOLDER } from '../../stand/standPaths.ts';
import { refreshForms, restart } from './refreshing.ts';

const WINDOW = path.join(OUT_FOLDER, 'test', 'integration', 'connections', 'window.main.mjs');

/** A real process that refreshes, killed when the server has got its request and not yet answered. */
async function killWhileServerThinks(
  t: TestContext,
  isOutliving: boolean,
): Promise<{ server: FaultyServer; headless: Headless; id: string }> {
  const { server, headless } = await startWithFaults(t);
  const { id } = await headless.connect(server.mcpUrl);
  await headless.manager.refresh(id);
  await headless.dispose();
  server.faults.delayMs = { token: 500 };
  const window = spawn(process.execPath, ['--enable-source-maps', WINDOW], { stdio: ['pipe', 'ignore', 'inherit'] });
  const { file, journalFolder, keychain } = headless;
  const order = { id, entries: [...keychain.entries], fileText: file.text, journalFolder, isOutliving };
  window.stdin.end(JSON.stringify(order));
  const ended = once(window, 'exit');
  while (refreshForms(server).length < 2) {
    assert.equal(window.exitCode, null, 'the window has ended by itself');
    await nextTurn();
  }
  window.kill('SIGKILL');
  await ended;
  return { server, headless, id };
}

describe('a window that is killed between a refresh and its answer', () => {
  it('P28 P31 loses nothing: the next one waits for the answer, which outlived it', async (t) => {
    const { server, headless, id } = await killWhileServerThinks(t, true);
    const next = await restart(t, headless);
    assert.equal((await next.manager.refresh(id)).state.type, 'ready');
    assert.ok(server.isActive(await next.manager.accessToken(id)));
    assert.equal(refreshForms(server).length, 2, 'it was not sent again');
    await next.manager.refresh(id);
    assert.equal((await readdir(headless.journalFolder)).length, 1);
  });

  it('P28 P31 loses the login at a strict server when the window itself had sent it', async (t) => {
    const { headless, id } = await killWhileServerThinks(t, false);
    const next = await restart(t, headless);
    await assert.rejects(next.manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
  });
});

/** Notes which grants the window itself asks for. */
function counting(): { readonly inProcess: string[]; readonly wrapFetch: (fetch: Fetch) => Fetch } {
  const inProcess: string[] = [];
  return {
    inProcess,
    wrapFetch: (fetch) => async (url, request) => {
      if (request.body?.includes('grant_type=refresh_token') === true) inProcess.push(url);
      return fetch(url, request);
    },
  };
}

describe('a refresh that is sent from a process of its own', () => {
  it('P27 P28 sends what any other sends, and who asked gets its answer', async (t) => {
    const { inProcess, wrapFetch } = counting();
    const { server, headless } = await startWithFaults(t, {}, { isOutliving: true, wrapFetch });
    const { id } = await headless.connect(server.mcpUrl);
    for (let round = 1; round <= 2; round += 1) await headless.manager.refresh(id);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
    const [first] = refreshForms(server);
    assert.equal(first?.['scope'], 'files:read files:write');
    assert.equal(server.requestsTo('token').at(-1)?.headers['user-agent'], 'Scopekeeper/0.0.0');
    assert.deepEqual(inProcess, []);
  });

  it('P32 tells what the server refused, and when it may be asked again', async (t) => {
    const { server, headless } = await startWithFaults(t, {}, { isOutliving: true });
    const { id } = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, { tokenStatus: 503, retryAfter: '7' });
    await assert.rejects(
      headless.manager.refresh(id),
      (error) => isOAuthError(error, 'token_request_failed') && error.details.retryAfterMs === 7000,
    );
    assert.deepEqual(await readdir(headless.journalFolder), []);
  });

  it('P32 tells that the server was not reached, or did not answer', async (t) => {
    const { server, headless } = await startWithFaults(t, {}, { isOutliving: true });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.dropTokenAnswer = true;
    await assert.rejects(
      headless.manager.refresh(id),
      (error) => isOAuthError(error, 'server_unreachable') && error.details.failure === 'reset',
    );
    assert.deepEqual(await readdir(headless.journalFolder), []);
    await server.close();
    await assert.rejects(
      headless.manager.refresh(id),
      (error) => isOAuthError(error, 'server_unreachable') && error.details.failure === 'refused',
    );
  });

  it('P28 is for servers that rotate alone: others are asked by the window itself, once they are known', async (t) => {
    const { inProcess, wrapFetch } = counting();
    const { server, headless } = await startWithFaults(t, { rotate: false }, { isOutliving: true, wrapFetch });
    const { id } = await headless.connect(server.mcpUrl);
    for (let round = 1; round <= 3; round += 1) await headless.manager.refresh(id);
    assert.equal(inProcess.length, 2);
    server.faults.rotate = true;
    for (let round = 1; round <= 2; round += 1) await headless.manager.refresh(id);
    assert.equal(inProcess.length, 3);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
  });
});
