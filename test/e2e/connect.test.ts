import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { createKeytarStore } from '../../src/platform/keytarStore.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { REPOSITORY } from '../stand/standPaths.ts';
import { withSession } from './session.ts';
import { SignInPage } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

/** So short that the token is renewed while the test watches: at half its life. */
const ACCESS_TOKEN_TTL_SECONDS = 40;
const CONNECTED = /expires in .* 2 scopes/;

async function connect(workbench: Workbench, sample: SampleServer): Promise<SignInPage> {
  await workbench.runCommand('Scopekeeper: Connect Server…');
  await workbench.quickInput.waitFor('URL');
  return SignInPage.openedBy(workbench, sample, async () => workbench.quickInput.answer(sample.mcpUrl));
}

function refreshRequests(sample: SampleServer) {
  return sample.requests.filter(({ body }) => body['grant_type'] === 'refresh_token');
}

test('a person connects the sample server, sees it renew itself, re-authorizes, restarts and disconnects', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: ACCESS_TOKEN_TTL_SECONDS });
  t.after(async () => sample.close());
  await withSession('connect', async ({ server, workbench }) => {
    const { servers, notifications } = workbench;

    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await workbench.quickInput.waitFor('URL');
    await workbench.screenshot('connect-server');
    const signIn = await SignInPage.openedBy(workbench, sample, async () => workbench.quickInput.answer(sample.mcpUrl));
    await signIn.screenshot('sign-in-page');
    await notifications.item('Signing in to').waitFor();
    await servers.row('see your browser').waitFor();
    const status = workbench.statusItem('status');
    assert.equal((await status.innerText()).trim(), '', 'there is nothing to count yet');
    assert.match((await status.getAttribute('aria-label')) ?? '', /signing in/);
    await workbench.screenshot('signing-in');

    assert.match(await signIn.decide('allow'), /Connected to 127\.0\.0\.1.*notes:read, notes:write.*close this tab/s);
    await signIn.screenshot('callback-success');
    await signIn.page.close();

    await servers.row(CONNECTED).waitFor();
    await servers.row('notes:write').waitFor();
    const rows = await servers.rows();
    assert.deepEqual(
      rows.filter(({ level }) => level === 3).map(({ name }) => name),
      ['notes:read', 'notes:write'],
    );
    assert.ok(rows.some(({ name, description }) => name === 'Expires' && /renews itself/.test(description)));
    assert.match(await status.innerText(), /1/);
    await workbench.screenshot('connected-dark');
    await workbench.screenshot('connected-light', 'light');
    await status.hover();
    await workbench.page.locator('.workbench-hover', { hasText: 'Refresh now' }).first().waitFor();
    await workbench.screenshot('status-hover');
    await servers.row(CONNECTED).hover();
    await workbench.page.locator('.workbench-hover', { hasText: 'Authorization server' }).first().waitFor();
    await workbench.screenshot('tooltip');
    await workbench.page.mouse.move(640, 400);

    const registration = sample.requests.find(({ endpoint }) => endpoint === 'registration');
    assert.equal(typeof registration?.body['scope'], 'string', 'P9 scope is one string');

    await servers.row('Token renewed').waitFor({ timeout: 60_000 });
    const [renewal] = refreshRequests(sample);
    assert.equal(renewal?.body['scope'], 'notes:read notes:write', 'P27 refresh sends scope');
    assert.equal(renewal.body['resource'], sample.mcpUrl, 'P14 refresh sends resource');

    const fromPalette = await SignInPage.openedBy(workbench, sample, async () =>
      workbench.runCommand('Scopekeeper: Re-authorize…'),
    );
    await fromPalette.decide('allow');
    await fromPalette.page.close();
    await servers.row(CONNECTED).waitFor();

    const fromRow = await SignInPage.openedBy(workbench, sample, async () =>
      servers.inlineAction(CONNECTED, 'Re-authorize'),
    );
    await fromRow.decide('allow');
    await fromRow.page.close();
    await servers.row(CONNECTED).waitFor();

    await server.restart();
    await workbench.reload();
    await servers.show();
    await servers.row(/2 scopes/).waitFor();
    const before = refreshRequests(sample).length;
    await servers.inlineAction(/2 scopes/, 'Refresh Token Now');
    await servers.expand(/2 scopes/);
    await servers.row('Token renewed').waitFor();
    assert.ok(refreshRequests(sample).length > before, 'the refresh token came from the keychain');

    await servers.contextMenu(CONNECTED, 'Disconnect…');
    await notifications.dialog.waitFor();
    await workbench.screenshot('disconnect-dialog');
    await notifications.clickDialog('Disconnect');
    await servers.row('signed out').waitFor();
    assert.ok(
      sample.requests.some(({ endpoint }) => endpoint === 'revocation'),
      'P35 the tokens are revoked',
    );
    await servers.contextMenu('signed out', 'Remove');
    await notifications.clickDialog('Remove');
    await servers.welcomeAction('Connect a Server').waitFor();
  });
});

test('P36 no secret is in a file, a log, a tooltip or a text of the workbench', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('canary', async ({ server, workbench }) => {
    await workbench.servers.show();
    const signIn = await connect(workbench, sample);
    const authorizationUrl = signIn.page.url();
    await signIn.decide('allow');
    const callback = new URL(signIn.page.url());
    await signIn.page.close();
    await workbench.servers.row(CONNECTED).waitFor();
    await workbench.servers.inlineAction(CONNECTED, 'Refresh Token Now');
    await workbench.servers.row(CONNECTED).waitFor();
    await workbench.runCommand('Scopekeeper: Show Log');
    await workbench.page.locator('.output-view-content, .panel .monaco-editor').first().waitFor();
    await workbench.servers.row(CONNECTED).hover();
    await workbench.page.locator('.workbench-hover').first().waitFor();

    const publicFile = path.join(server.configHome, 'scopekeeper', 'connections.json');
    const [id] = /"id":\s*"([^"]+)"/.exec(await readFile(publicFile, 'utf8'))?.slice(1) ?? [];
    assert.ok(id !== undefined, 'the public file lists the connection');
    const keychain = createKeytarStore({ prebuildsFolder: path.join(REPOSITORY, 'dist', 'prebuilds') });
    const stored = JSON.parse((await keychain.get(`connection:${id}`)) ?? '{}');
    const secrets = [
      stored.tokens.accessToken,
      stored.tokens.refreshToken,
      callback.searchParams.get('code'),
      ...sample.requests.flatMap(({ body }) => [body['refresh_token'], body['code_verifier'], body['code']]),
    ].filter((secret): secret is string => typeof secret === 'string');
    assert.ok(secrets.length >= 5, 'there are secrets to look for');
    assert.ok(authorizationUrl.length > 0);

    const texts = new Map([['the workbench', await workbench.page.content()]]);
    for (const folder of [server.folder, path.join(server.configHome, 'scopekeeper')]) {
      for (const name of await readdir(folder, { recursive: true })) {
        const file = path.join(folder, name);
        const text = await readFile(file, 'latin1').catch(() => '');
        // The keyring itself is encrypted and lies elsewhere; whatever is here is in the clear.
        texts.set(file, text);
      }
    }
    for (const [place, text] of texts) {
      for (const secret of secrets) assert.ok(!text.includes(secret), `a secret is in ${place}`);
    }
  });
});
