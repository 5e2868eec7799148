import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { array, object, parse, string } from 'valibot';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { createPlainClient } from '../servers/plainClient.ts';
import { withSession } from './session.ts';

const SECRET_CLIENT = { id: 'robot-7', secret: 'a-client-secret', authMethod: 'client_secret_basic' };
/** An authorization server for machines alone. */
const ONLY_CLIENTS: Partial<Faults> = {
  grantTypes: ['client_credentials'],
  noRegistration: true,
  authMethods: ['client_secret_basic', 'private_key_jwt'],
};
const registrationSchema = object({ redirect_uris: array(string()) });
const CONNECTED = /expires in .* 2 scopes/;

async function start(t: TestContext, faults: Partial<Faults>): Promise<FaultyServer> {
  const server = await startFaultyServer(faults);
  t.after(async () => server.close());
  return server;
}

test('a server for machines alone: the refusal leads to another way, and that to a token that renews itself', async (t) => {
  const server = await start(t, ONLY_CLIENTS);
  server.addClient(SECRET_CLIENT);
  await withSession('client-credentials', async ({ workbench }) => {
    const { notifications, quickInput, servers } = workbench;
    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    await quickInput.answer(server.mcpUrl);
    await notifications.item('does not let people sign in this way').waitFor();
    await workbench.screenshot('kinds-refused');
    await notifications.click('does not let people sign in this way', 'Choose How to Sign In…');

    await quickInput.waitFor('How do you sign in');
    await workbench.screenshot('kinds-pick');
    await workbench.screenshot('kinds-pick-light', 'light');
    const kinds = await quickInput.rows();
    assert.equal(kinds.length, 6);
    assert.equal(kinds.find(({ label }) => label === 'Client credentials')?.description, 'offered by this server');
    await quickInput.pick('Client credentials');

    await quickInput.waitFor('client ID that you registered');
    await workbench.screenshot('kinds-client-id');
    await quickInput.answer('');
    await workbench.page.locator('.quick-input-message', { hasText: 'Enter a client ID' }).waitFor();
    await quickInput.answer(SECRET_CLIENT.id);
    await quickInput.waitFor('prove that it is itself');
    await workbench.screenshot('kinds-proof');
    // Back, and forth again: what was entered is still there.
    await quickInput.button('Back');
    await quickInput.waitFor('client ID that you registered');
    assert.equal(await quickInput.field.inputValue(), SECRET_CLIENT.id);
    await workbench.page.keyboard.press('Enter');
    await quickInput.waitFor('prove that it is itself');
    await quickInput.pick('Client secret');
    await quickInput.waitFor('Its client secret');
    assert.equal(await quickInput.field.getAttribute('type'), 'password');
    await quickInput.field.fill(SECRET_CLIENT.secret);
    await workbench.screenshot('kinds-secret');
    await workbench.page.keyboard.press('Enter');

    await servers.row(CONNECTED).waitFor();
    await servers.row('client credentials of robot-7').waitFor();
    await servers.row('renews itself').waitFor();
    await workbench.clearNotifications();
    await servers.row(CONNECTED).hover();
    await workbench.page.locator('.workbench-hover', { hasText: 'Signs in with' }).first().waitFor();
    await workbench.screenshot('kinds-connected');
    await workbench.page.mouse.move(640, 400);

    const before = server.requestsTo('token').length;
    await servers.inlineAction(CONNECTED, 'Refresh Token Now');
    await servers.row('Token renewed').waitFor();
    assert.equal(server.requestsTo('token').at(before)?.form?.['grant_type'], 'client_credentials');

    await servers.contextMenu(CONNECTED, 'Sign In Another Way…');
    await quickInput.waitFor('How do you sign in');
    await quickInput.pick('Browser');
    await notifications.dialog.waitFor();
    await workbench.screenshot('kinds-change-dialog');
    await notifications.clickDialog('Cancel');
    await servers.row(CONNECTED).waitFor();
    assert.equal(server.requestsTo('revocation').length, 0);
  });
});

test('a client proves itself by a private key from a file; a file that is none is told at once', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const server = await start(t, ONLY_CLIENTS);
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] };
  server.addClient({ id: 'robot-8', authMethod: 'private_key_jwt', jwks });
  await withSession('private-key', async ({ workbench, workspace }) => {
    const { notifications, quickInput, servers } = workbench;
    await writeFile(path.join(workspace, 'notes.pem'), 'no key');
    await writeFile(path.join(workspace, 'robot-8.pem'), await exportPKCS8(privateKey));
    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    await quickInput.field.fill(server.mcpUrl);
    await workbench.screenshot('kinds-connect');
    await quickInput.button('Choose how to sign in');
    await quickInput.waitFor('How do you sign in');
    await quickInput.pick('Client credentials');
    await quickInput.waitFor('client ID that you registered');
    await quickInput.answer('robot-8');
    await quickInput.waitFor('prove that it is itself');
    await quickInput.pick('Private key');
    await quickInput.waitFor('The Private Key of the Client');
    await workbench.screenshot('kinds-key-file');
    await quickInput.pick('notes.pem');
    await notifications.dialog.waitFor();
    await workbench.screenshot('kinds-not-a-key');
    await notifications.clickDialog('Choose Another File…');
    await quickInput.waitFor('The Private Key of the Client');
    await quickInput.pick('robot-8.pem');
    await servers.row(CONNECTED).waitFor();
    assert.ok(server.requestsTo('token').at(-1)?.form?.['client_assertion']);
  });
});

test('a person gives up in the middle, and nothing is left; then brings a token, and another one when it is refused', async (t) => {
  const server = await start(t, {});
  const { access_token: token } = await createPlainClient(server).signIn();
  await withSession('static-token', async ({ workbench }) => {
    const { notifications, quickInput, servers } = workbench;
    const connectWithToken = async (): Promise<void> => {
      await workbench.runCommand('Scopekeeper: Connect Server…');
      await quickInput.waitFor('URL');
      await quickInput.field.fill(server.mcpUrl);
      await quickInput.button('Choose how to sign in');
      await quickInput.waitFor('How do you sign in');
      await quickInput.pick('A token of your own');
      await quickInput.waitFor('The token for');
    };
    await servers.show();
    await connectWithToken();
    await quickInput.cancel();
    await servers.welcomeAction('Connect a Server').waitFor();
    assert.deepEqual(await servers.rows(), []);

    await connectWithToken();
    await workbench.screenshot('kinds-token');
    await quickInput.answer('wrong');
    await notifications.item('refused the token').waitFor();
    await servers.row('token refused').waitFor();
    await workbench.screenshot('kinds-token-refused');
    await notifications.click('refused the token', 'Enter Token…');
    await quickInput.waitFor('The token for');
    await quickInput.answer(`Bearer ${token}`);
    await servers.row('your own token').waitFor();
    await servers.row('a token of your own').waitFor();
    await workbench.clearNotifications();
    await servers.row('your own token').hover();
    await workbench.page.locator('.workbench-hover', { hasText: 'Signs in with' }).first().waitFor();
    await workbench.screenshot('kinds-token-connected');
  });
});

test('a person enters a device code on another device; the code can be copied, its page opened, the sign-in cancelled', async (t) => {
  const server = await start(t, {
    device: {
      intervalSeconds: 1,
      expiresInSeconds: 600,
      pending: 0,
      slowDowns: 0,
      outcome: 'wait',
      omitComplete: true,
    },
  });
  await withSession('device', async ({ workbench, browser }) => {
    const { notifications, quickInput, servers } = workbench;
    const tabs = browser.context.pages().length;
    const chooseDevice = async (): Promise<string> => {
      await quickInput.waitFor('How do you sign in');
      await quickInput.pick('Device code');
      await servers.row(/[A-Z]{4}-[A-Z]{4} · enter it at/).waitFor();
      const toast = notifications.item(/enter [A-Z]{4}-[A-Z]{4} at/);
      await toast.waitFor();
      return /enter ([A-Z]{4}-[A-Z]{4}) at/.exec(await toast.innerText())?.[1] ?? '';
    };
    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    await quickInput.field.fill(server.mcpUrl);
    await quickInput.button('Choose how to sign in');
    const first = await chooseDevice();
    await workbench.screenshot('device-waiting');
    await workbench.screenshot('device-waiting-light', 'light');
    await servers.row(first).hover();
    await workbench.page.locator('.workbench-hover', { hasText: first }).first().waitFor();
    await workbench.screenshot('device-row');

    const toast = notifications.item('Signing in to');
    await toast.getByText('Copy Code').click();
    await workbench.page.getByText('Copied the code').waitFor();
    assert.equal(await workbench.page.evaluate('navigator.clipboard.readText()'), first);
    const page = await workbench.openedPage(async () => toast.getByText('Open Page').click());
    await page.close();
    assert.ok(
      server.requests.some(({ path: asked }) => asked === '/device'),
      'the page was opened',
    );
    await servers.inlineAction(first, 'Cancel Sign-In');
    await servers.row('signed out').waitFor();

    await servers.contextMenu('signed out', 'Sign In Another Way…');
    const second = await chooseDevice();
    assert.notEqual(second, first);
    server.approveDevice(second);
    await servers.row(CONNECTED).waitFor();
    await servers.row('device code').waitFor();
    await workbench.screenshot('device-connected');
    assert.equal(browser.context.pages().length, tabs, 'no tab was opened by itself');
  });
});

test('P18 sign-ins come back to the editor where a server takes no port of this computer', async (t) => {
  const server = await start(t, {});
  await withSession('editor-redirect', async ({ workbench, browser }) => {
    const { notifications, quickInput, servers } = workbench;
    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    await quickInput.answer(server.mcpUrl);
    await servers.row(CONNECTED).waitFor();
    for (const page of browser.context.pages()) if (page !== workbench.page) await page.close();
    await workbench.page.bringToFront();

    await servers.contextMenu(CONNECTED, 'Connection Settings…');
    await quickInput.waitFor('What do you want to change');
    await quickInput.pick('Where the browser comes back to');
    await quickInput.pick('the editor');
    await notifications.click('Saved', 'Sign In Now');
    await notifications.item('Signing in to').waitFor();
    await notifications.item('Signing in to').getByText('Copy URL').click();
    await workbench.page.getByText('Open it in a browser that you trust').waitFor();
    const copied = String(await workbench.page.evaluate('navigator.clipboard.readText()'));
    const redirectUri = new URL(copied).searchParams.get('redirect_uri') ?? '';
    assert.match(redirectUri, /^[a-z-]+:\/\/scopekeeper\.scopekeeper\/callback$/);
    const registration = parse(registrationSchema, server.requestsTo('registration').at(-1)?.json);
    assert.deepEqual(registration.redirect_uris, [redirectUri]);
    const callback = await server.authorize(copied);
    assert.ok(callback.href.startsWith(`${redirectUri}?`));
    await notifications.item('Signing in to').getByText('Paste callback URL').click();
    await quickInput.waitFor('address');
    await quickInput.answer(callback.href);
    await servers.row(CONNECTED).waitFor();
    assert.equal(server.requestsTo('token').at(-1)?.form?.['redirect_uri'], redirectUri);
  });
});
