import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ConnectionSecret } from '../../src/connections/connectionSecret.ts';
import { userFolder } from '../../src/platform/userFolder.ts';
import type { PublicConnection, ScopekeeperApi } from '../../src/vscode/api.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { open } from './browser.ts';
import { connect, type Connected } from './connecting.ts';
import { storedSecret } from './keychain.ts';
import { contextOf, logWith } from './log.ts';
import type { Probe } from './probe/probe.main.ts';
import { scopekeeper, theProbe } from './theProbe.ts';
import { filesWith, otherTexts, treeTexts } from './visible.ts';

const TOKEN_TTL_S = 3600;
/** What the log says of a callback that nobody waits for. */
const LOGGED = 'belongs to no waiting sign-in';

describe('a server that is connected and renewed', () => {
  let sample: SampleServer;
  let probe: Probe;
  let api: ScopekeeperApi;
  let connected: Connected;
  let connection: PublicConnection;
  /** What the public API said at each of its events. */
  const announced: PublicConnection[][] = [];
  const stored: ConnectionSecret[] = [];
  let clipboard = '';

  before(async () => {
    [probe, api, sample] = await Promise.all([
      theProbe(),
      scopekeeper(),
      startSampleServer({ accessTokenTtlSeconds: TOKEN_TTL_S }),
    ]);
    await vscode.commands.executeCommand('_extensionTests.setLogLevel', 'trace');
    const subscription = api.onDidChangeConnections(() => announced.push([...api.connections()]));
    connected = await connect(probe, sample, async () => {
      await vscode.commands.executeCommand('scopekeeper.copySignInUrl');
      clipboard = await vscode.env.clipboard.readText();
    });
    connection = theConnection();
    stored.push(await storedSecret(connection.id));
    await vscode.commands.executeCommand('scopekeeper.refreshToken', connection.id);
    stored.push(await storedSecret(connection.id));
    subscription.dispose();
  });

  after(async () => sample.close());

  function theConnection(): PublicConnection {
    const found = api.connections().find(({ serverUrl }) => serverUrl === sample.mcpUrl);
    assert.ok(found, 'the public API does not know the connection');
    return found;
  }

  it('was signed in to at the URL that Copy URL gives too', () => {
    assert.equal(clipboard, connected.authorizationUrl.href);
    assert.equal(connected.authorizationUrl.origin, sample.issuer);
  });

  it('is in the public API, with what was granted and until when', () => {
    const { state, granted, expiresAt = 0, name } = theConnection();
    assert.equal(state, 'ready');
    assert.ok(granted.includes('notes:read'), granted.join(' '));
    assert.ok(expiresAt > Date.now() && expiresAt <= Date.now() + TOKEN_TTL_S * 1000, `expires at ${expiresAt}`);
    assert.notEqual(name, '');
  });

  it('was announced by the public API from its beginning to its renewal', () => {
    const states = announced.map((all) => all.find(({ id }) => id === connection.id)?.state);
    const distinct = states.filter((state, index) => state !== undefined && state !== states[index - 1]);
    assert.deepEqual(distinct, ['disconnected', 'authorizing', 'ready', 'refreshing', 'ready']);
  });

  it('was renewed: the tokens in the keychain are new ones', () => {
    const [first, second] = stored;
    assert.equal(first?.generation, 1);
    assert.equal(second?.generation, 2);
    assert.notEqual(first.tokens?.accessToken, second.tokens?.accessToken);
    assert.notEqual(first.tokens?.refreshToken, second.tokens?.refreshToken);
  });

  it('made the probe see files, port, network and keychain, so that what it did not see did not happen', () => {
    const seen = new Set(probe.recorder.calls.map(({ api: name }) => name));
    const expected = ['fs/promises.readFile', 'fs/promises.open', 'listen', 'http.request', 'process.dlopen'];
    const keychain = ['native addon', 'keychain.getPassword', 'keychain.setPassword'];
    assert.deepEqual(
      [...expected, ...keychain].filter((name) => !seen.has(name)),
      [],
    );
  });

  it('needs nothing of the editor to keep secrets when there is a keychain', () => {
    const uses = probe.recorder.calls.filter(({ api: name }) => name.startsWith('secrets.'));
    assert.deepEqual(uses, []);
  });

  it('P36 leaves no secret where a person or a program could come across it', async () => {
    const secrets = await theSecrets();
    const isClean = (where: string, texts: readonly string[]) => {
      assert.ok(texts.length > 0, `there is nothing in ${where} to look at`);
      for (const [name, secret] of secrets) {
        assert.ok(!texts.some((text) => text.includes(secret)), `the ${name} is in ${where}`);
      }
    };
    const rows = await treeTexts(probe.editor);
    assert.ok(
      rows.some((row) => row.includes('notes:read')),
      'the tree was not read',
    );
    isClean('the tree', rows);
    isClean('messages, progress, status bar or context keys', otherTexts(probe.editor));
    isClean('the public API', [JSON.stringify(announced), JSON.stringify(api.connections())]);
    isClean('the page in the browser', [connected.page]);
    isClean('the settings', [JSON.stringify(vscode.workspace.getConfiguration('scopekeeper'))]);
    isClean('what was done in the system', [JSON.stringify(probe.recorder.calls.map(({ target }) => target))]);
    const { globalState, workspaceState } = contextOf(probe);
    for (const memento of [globalState, workspaceState]) {
      isClean('a memento', [JSON.stringify(memento.keys().map((key) => [key, memento.get(key)]))]);
    }
  });

  it('P36 leaves no secret in a file: public data, settings, storage and logs at their finest', async () => {
    const refused = await open(new URL('?code=canary-code&state=canary-state', connected.callbackUrl));
    assert.equal(refused.status, 400);
    const log = await logWith(probe, LOGGED);
    assert.doesNotMatch(log, /canary/);

    const secrets = [...(await theSecrets()).values(), 'canary-code', 'canary-state'];
    const places = [
      { folder: userFolder(process.platform, process.env, homedir()), holds: connection.id },
      { folder: editorFolder(probe), holds: LOGGED },
    ];
    for (const { folder, holds } of places) {
      assert.notDeepEqual(await filesWith(folder, [holds]), [], `${folder} is not where things are kept`);
      assert.deepEqual(await filesWith(folder, secrets.flatMap(spellings)), []);
    }
  });

  /** Every secret of both rounds, by name. */
  async function theSecrets(): Promise<Map<string, string>> {
    const [first, second] = stored;
    const verifier = sample.requests.find(({ body }) => typeof body['code_verifier'] === 'string');
    const secrets = new Map(
      Object.entries({
        'first access token': first?.tokens?.accessToken,
        'first refresh token': first?.tokens?.refreshToken,
        'second access token': second?.tokens?.accessToken,
        'second refresh token': second?.tokens?.refreshToken,
        'client secret': first?.tokens?.client?.clientSecret,
        verifier: verifier?.body['code_verifier'],
        code: connected.callbackUrl.searchParams.get('code'),
        state: connected.authorizationUrl.searchParams.get('state'),
      }).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])),
    );
    const known = [...secrets.keys()].filter((name) => name !== 'client secret');
    assert.equal(known.length, 7, `of the secrets only these are known: ${known.join(', ')}`);
    for (const secret of secrets.values()) assert.ok(secret.length >= 16, 'too short to be looked for');
    return secrets;
  }
});

/** The folder with all data of this editor: <it>/User/globalStorage/<extension>. */
function editorFolder(probe: Probe): string {
  return path.resolve(contextOf(probe).globalStorageUri.fsPath, '..', '..', '..');
}

/** How a secret may look in a file. */
function spellings(secret: string): string[] {
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')];
}
