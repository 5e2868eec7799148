import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { object, parse, parseJson, pipe, string } from 'valibot';
import * as vscode from 'vscode';
import { userFolder } from '../../src/platform/userFolder.ts';
import type { ScopekeeperApi } from '../../src/vscode/api.ts';
import { openTestWindow } from '../headless/testWindow.ts';
import { type Certificate, issueCertificate, makeAuthority } from '../servers/certificates.ts';
import { type ConnectProxy, startConnectProxy } from '../servers/connectProxy.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { noFaults } from '../servers/noFaults.ts';
import { startTlsFront, type TlsFront } from '../servers/tlsFront.ts';
import { SYSTEM_AUTHORITY_VARIABLE } from '../stand/hostTests.ts';
import { open } from './browser.ts';
import { enterServerUrl, signInBy } from './connecting.ts';
import { storedSecret, testKeychain } from './keychain.ts';
import { logWith } from './log.ts';
import type { Probe } from './probe/probe.main.ts';
import { scopekeeper, theProbe } from './theProbe.ts';

/** Names that no resolver knows; only the proxy does. */
const MCP_HOST = 'mcp.scopekeeper.example';
const ISSUER_HOST = 'as.scopekeeper.example';
const MCP_URL = `https://${MCP_HOST}/mcp`;

const authoritySchema = pipe(string(), parseJson(), object({ key: string(), cert: string() }));

async function set(name: 'http.proxy' | 'scopekeeper.extraCaFile', value: string | undefined): Promise<void> {
  await vscode.workspace.getConfiguration().update(name, value, vscode.ConfigurationTarget.Global);
}

describe('a server behind a proxy, with a certificate of a private authority', () => {
  let probe: Probe;
  let api: ScopekeeperApi;
  let server: FaultyServer;
  let front: TlsFront;
  /** The names that only the proxy knows. */
  const hosts = new Map<string, number>();
  let proxy: ConnectProxy;
  let folder: string;
  let caFile: string;
  let id: string;

  before(async () => {
    [probe, api, server] = await Promise.all([theProbe(), scopekeeper(), startFaultyServer()]);
    const authority = makeAuthority();
    folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-ca-'));
    caFile = path.join(folder, 'company.pem');
    await writeFile(caFile, authority.cert);
    front = await startFront(authority);
    proxy = await startConnectProxy(hosts);

    // Signing in fails, with nothing set, but the connection is there.
    const error = await errorOf(async () => enterServerUrl(probe, MCP_URL));
    assert.match(error, /host of mcp\.scopekeeper\.example\/mcp was not found.*needs a proxy, set http\.proxy/);
    id = api.connections().find(({ serverUrl }) => serverUrl === MCP_URL)?.id ?? '';
    assert.notEqual(id, '');
  });

  after(async () => {
    if (id !== '') await confirmed('remove', 'Remove');
    await Promise.all([proxy.close(), front.close(), server.close(), rm(folder, { recursive: true })]);
  });

  beforeEach(async () => {
    await set('http.proxy', proxy.url);
    await set('scopekeeper.extraCaFile', caFile);
    proxy.refusal = undefined;
    leadTo(front);
  });

  afterEach(async () => {
    await set('http.proxy', undefined);
    await set('scopekeeper.extraCaFile', undefined);
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  async function startFront(authority: Certificate): Promise<TlsFront> {
    return startTlsFront(
      issueCertificate(authority, `DNS:${MCP_HOST}`, `DNS:${ISSUER_HOST}`),
      new Map([
        [`https://${MCP_HOST}`, new URL(server.mcpUrl).origin],
        [`https://${ISSUER_HOST}`, new URL(server.issuer).origin],
      ]),
    );
  }

  function leadTo({ port }: TlsFront): void {
    for (const host of [MCP_HOST, ISSUER_HOST]) hosts.set(`${host}:443`, port);
  }

  async function run(command: string): Promise<void> {
    await vscode.commands.executeCommand(`scopekeeper.${command}`, id);
  }

  async function signInAgain(): Promise<void> {
    await run('signIn');
  }

  /** Runs a command that asks whether it is meant. */
  async function confirmed(command: string, button: string): Promise<void> {
    probe.editor.answers.set('showWarningMessage', [button]);
    await run(command);
  }

  /** The message that `act` leads to. */
  async function errorOf(act: () => Promise<void>): Promise<string> {
    const before = probe.editor.errors.length;
    await act();
    return probe.recorder.until('an error message', () => probe.editor.errors[before]);
  }

  async function signIn(): Promise<void> {
    await signInBy(probe, signInAgain, async (authorizationUrl) => {
      // The person's browser has its own way through the proxy.
      const callback = await server.authorize(front.inside(authorizationUrl.href));
      return open(new URL(front.outside(callback.href)));
    });
  }

  /** What the proxy was asked for while `act` ran, each once. */
  async function tunnelsOf(act: () => Promise<void>): Promise<string[]> {
    const before = proxy.asked.length;
    await act();
    return [...new Set(proxy.asked.slice(before))];
  }

  function stateOf(): string | undefined {
    return api.connections().find((connection) => connection.id === id)?.state;
  }

  it('is connected, renewed and revoked through the proxy, and the authority is trusted', async () => {
    assert.deepEqual(await tunnelsOf(signIn), [`${MCP_HOST}:443`, `${ISSUER_HOST}:443`]);
    assert.equal(stateOf(), 'ready');
    const first = (await storedSecret(id)).tokens;

    assert.deepEqual(await tunnelsOf(async () => run('refreshToken')), [`${ISSUER_HOST}:443`]);
    const second = (await storedSecret(id)).tokens;
    assert.notEqual(second?.accessToken, first?.accessToken);
    assert.ok(server.isActive(second?.accessToken ?? ''));

    assert.deepEqual(await tunnelsOf(async () => confirmed('disconnect', 'Disconnect')), [`${ISSUER_HOST}:443`]);
    assert.equal(stateOf(), 'disconnected');
    assert.equal(server.isActive(second?.accessToken ?? ''), false);
    assert.equal(server.isActive(second?.refreshToken ?? ''), false);
  });

  it('P37 has all calls of its local clients through one tunnel', async () => {
    await signIn();
    const other = openTestWindow({
      folder: userFolder(process.platform, process.env, homedir()),
      name: 'the other window',
      keychain: testKeychain,
    });
    await other.role.look();
    const token = await other.gateway.createToken({ label: 'Many calls', connection: id, allowedTools: '*' });
    const url = await other.gateway.gatewayUrl(id);
    const before = proxy.asked.length;
    for (let call = 0; call < 20; call += 1) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ jsonrpc: '2.0', id: call, method: 'tools/list' }),
      });
      assert.equal(response.status, 200, await response.text());
    }
    // The way there is found out once, and then taken by all.
    assert.deepEqual(proxy.asked.slice(before), [`${MCP_HOST}:443`]);
    await other.dispose();
    await confirmed('disconnect', 'Disconnect');
  });

  it('is not connected without the authority, and the error says certificate and what to set', async () => {
    await set('scopekeeper.extraCaFile', undefined);
    const error = await errorOf(signInAgain);
    assert.match(
      error,
      /its certificate is not trusted.*choose the file.* \[Choose Certificate File…\] \[Diagnose…\]$/,
    );
    await logWith(probe, `server_unreachable {"url":"${MCP_URL}","failure":"tls"}`);
  });

  if (process.platform === 'linux') {
    for (const isCompanyTrusted of [false, true]) {
      const also = isCompanyTrusted ? ', also beside that of the setting' : '';
      it(`is connected when its authority is in the system's store${also}`, async () => {
        const other = await startFront(parse(authoritySchema, process.env[SYSTEM_AUTHORITY_VARIABLE]));
        leadTo(other);
        if (!isCompanyTrusted) await set('scopekeeper.extraCaFile', undefined);
        await signIn();
        assert.equal(stateOf(), 'ready');
        await run('refreshToken');
        await confirmed('disconnect', 'Disconnect');
        await other.close();
      });
    }
  }

  it('is not connected with a file that is none, and the error says so', async () => {
    await set('scopekeeper.extraCaFile', path.join(folder, 'missing.pem'));
    assert.match(await errorOf(signInAgain), /missing\.pem, cannot be read.*setting.* \[Open Settings\]$/);
  });

  it('is not connected by a proxy that is not there, and the error says proxy and what to set', async () => {
    const unused = await startConnectProxy(new Map());
    await unused.close();
    await set('http.proxy', unused.url.replace('//', '//user:canary@'));
    const error = await errorOf(signInAgain);
    assert.match(
      error,
      /The proxy on the way to mcp.* could not be reached.*http\.proxy.* \[Open Settings\] \[Diagnose…\]$/,
    );
    const log = await logWith(probe, `server_unreachable {"url":"${MCP_URL}","failure":"proxy"}`);
    assert.doesNotMatch(error + log, /canary/);
  });

  it('is not connected by a proxy whose name nobody knows, and the error says proxy', async () => {
    await set('http.proxy', 'http://proxy.scopekeeper.example:3128');
    assert.match(await errorOf(signInAgain), /The proxy on the way to mcp.* could not be reached/);
  });

  it('gives up on a proxy that never answers, and the error says proxy', async () => {
    proxy.refusal = 'silent';
    assert.match(await errorOf(signInAgain), /The proxy on the way to mcp.* did not answer/);
  });

  for (const [status, header, says] of [
    [407, 'proxy-authenticate: Digest realm="company"', /proxy .*wants a user name and a password \(status 407\)/],
    [403, 'x-reason: no', /proxy .*did not let the connection through \(status 403\)/],
    [502, 'x-reason: no', /proxy .*did not let the connection through \(status 502\)/],
    [401, 'www-authenticate: Bearer resource_metadata="https://evil.example/"', /proxy .*\(status 401\)/],
    [302, 'location: https://evil.example/', /proxy .*\(status 302\)/],
  ] as const) {
    it(`P20 takes the proxy's ${status} for the proxy's, and not for the server's`, async () => {
      proxy.refusal = { status, headers: [header] };
      const asked = await tunnelsOf(async () => assert.match(await errorOf(signInAgain), says));
      assert.deepEqual(asked, [`${MCP_HOST}:443`]);
    });
  }

  it('P32 keeps its tokens when the proxy refuses a renewal', async () => {
    await signIn();
    const { tokens } = await storedSecret(id);
    proxy.refusal = { status: 407 };
    assert.match(await errorOf(async () => run('refreshToken')), /proxy .*status 407/);
    assert.equal(stateOf(), 'unreachable');
    assert.deepEqual((await storedSecret(id)).tokens, tokens);
    proxy.refusal = undefined;
    await run('refreshToken');
    assert.equal(stateOf(), 'ready');
    await confirmed('disconnect', 'Disconnect');
  });

  describe('P20 keeps to the rules of addresses, which are judged before the proxy is asked', () => {
    beforeEach(() => Object.assign(server.faults, noFaults()));
    after(() => Object.assign(server.faults, noFaults()));

    it('a private address in the metadata is refused', async () => {
      server.faults.prmIssuers = ['https://10.1.2.3'];
      const asked = await tunnelsOf(async () => {
        assert.match(await errorOf(signInAgain), /10\.1\.2\.3 is a private or reserved address/);
      });
      assert.deepEqual(asked, [`${MCP_HOST}:443`]);
    });

    it('a redirect to a private address is refused', async () => {
      server.faults.redirectMetadataTo = 'https://10.1.2.3/metadata';
      const asked = await tunnelsOf(async () => {
        assert.match(await errorOf(signInAgain), /10\.1\.2\.3 is a private or reserved address/);
      });
      assert.deepEqual(asked, [`${MCP_HOST}:443`, `${ISSUER_HOST}:443`]);
    });

    it('a redirect to plain http is refused', async () => {
      server.faults.redirectMetadataTo = `http://${ISSUER_HOST}/moved/metadata`;
      assert.match(await errorOf(signInAgain), /not safe to follow/);
    });

    it('a redirect to another name that the proxy knows is followed', async () => {
      server.faults.redirectMetadataTo = `https://${ISSUER_HOST}/moved/metadata`;
      await signIn();
      assert.equal(stateOf(), 'ready');
      await confirmed('disconnect', 'Disconnect');
    });
  });

  it('is connected with the file that the error’s button asks for, until that is taken back', async () => {
    await set('scopekeeper.extraCaFile', undefined);
    probe.editor.answers.set('showErrorMessage', ['Choose Certificate File…']);
    probe.editor.answers.set('showOpenDialog', [[vscode.Uri.file(caFile)]]);
    await signIn();
    await probe.recorder.until('the end of the sign-in', () => (stateOf() === 'ready' ? true : undefined));
    await run('refreshToken');
    const { tokens } = await storedSecret(id);
    await confirmed('disconnect', 'Disconnect');
    assert.equal(server.isActive(tokens?.refreshToken ?? ''), false);

    probe.editor.answers.set('showQuickPick', [{ isAnother: false }]);
    await run('chooseCaFile');
    assert.match(await errorOf(signInAgain), /its certificate is not trusted/);
  });

  it('is not connected with a chosen file that holds no certificate, and the error says so', async () => {
    await set('scopekeeper.extraCaFile', undefined);
    const noCertificate = path.join(folder, 'notes.pem');
    await writeFile(noCertificate, 'nothing of use');
    probe.editor.answers.set('showOpenDialog', [[vscode.Uri.file(noCertificate)]]);
    const error = await errorOf(async () => run('chooseCaFile'));
    assert.match(error, /notes\.pem, is no list of certificates.* \[Choose Certificate File…\]$/);
    assert.match(await errorOf(signInAgain), /its certificate is not trusted/);
  });
});
