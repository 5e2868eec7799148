import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import { listWith } from '../headless/listWith.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { connectSample } from './connectedSample.ts';
import { storedSecret } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions } from './questions.ts';
import { treeTexts } from './visible.ts';

// The editor asks the person which extension may sign in by a dialog, which it refuses to show in tests: so what comes
// after it is called as the editor does, and all that asks nobody goes through the editor.
describe('a session for other extensions', () => {
  let sample: SampleServer;
  let probe: Probe;
  let connection: PublicConnection;
  let provider: vscode.AuthenticationProvider;
  let url = '';
  /** How often the editor told of a change. */
  let changes = 0;

  before(async () => {
    ({ probe, sample, connection, url } = await connectSample());
    const registered = probe.editor.authenticationProviders.get('scopekeeper');
    assert.ok(registered);
    provider = registered;
    vscode.authentication.onDidChangeSessions(({ provider: { id } }) => {
      if (id === 'scopekeeper') changes += 1;
    });
  });

  after(async () => sample.close());

  it('is not there before the person has said so, and nothing is asked silently', async () => {
    assert.deepEqual(await vscode.authentication.getAccounts('scopekeeper'), []);
    assert.equal(await vscode.authentication.getSession('scopekeeper', [connection.name], { silent: true }), undefined);
  });

  it('P44 the person says no: there is none', async () => {
    const questions = nextQuestions(probe);
    const asking = assert.rejects(Promise.resolve(provider.createSession([connection.name], {})));
    const list = await questions.list();
    assert.equal(list.items[0]?.label, `An extension of this editor asks to use ${connection.name}`);
    await questions.choice('Deny');
    await asking;
  });

  it('names no connection: an error says so', async () => {
    await assert.rejects(Promise.resolve(provider.createSession(['repo'], {})), /no connection that is called repo/);
  });

  for (const named of ['its name', 'its slug', 'its URL', 'nothing'] as const) {
    it(`P43 is for the connection by ${named}, and for the tools that the person ticks`, async () => {
      const slug = new URL(url).pathname.split('/')[1] ?? '';
      const scopes = { 'its name': [connection.name], 'its slug': [slug], 'its URL': [url], nothing: [] }[named];
      const questions = nextQuestions(probe);
      const asking = provider.createSession(scopes, {});
      if (named === 'nothing') await questions.choice(connection.name);
      await questions.choice('Choose Tools…');
      await questions.ticks('list_notes');
      const session = await asking;
      assert.deepEqual(session.account, { id: connection.id, label: connection.name });
      assert.deepEqual(session.scopes, scopes.length === 0 ? [slug] : scopes);
      assert.deepEqual(await listWith(url, session.accessToken), ['list_notes']);
      const [again] = await provider.getSessions(scopes, {});
      assert.deepEqual(again, session, 'it stays the same');
      const [account] = await vscode.authentication.getAccounts('scopekeeper');
      assert.equal(account?.id, connection.id);
      assert.match((await treeTexts(probe.editor)).join('\n'), /Other extensions.*1 tool/);
    });
  }

  it('P45 is never the token of the server itself', async () => {
    const [session] = await provider.getSessions([connection.name], {});
    const { tokens } = await storedSecret(connection.id);
    assert.ok(session !== undefined && tokens !== undefined);
    assert.notEqual(session.accessToken, tokens.accessToken);
    assert.match(session.accessToken, /^skg_/);
  });

  it('ends at once when it is removed, as the Accounts menu does, and the editor is told', async () => {
    const [session] = await provider.getSessions(undefined, {});
    assert.ok(session);
    const before = changes;
    await provider.removeSession(session.id);
    await assert.rejects(listWith(url, session.accessToken), { code: 401 });
    assert.deepEqual(await provider.getSessions(undefined, {}), []);
    assert.deepEqual(await vscode.authentication.getAccounts('scopekeeper'), []);
    assert.ok(changes > before);
  });
});
