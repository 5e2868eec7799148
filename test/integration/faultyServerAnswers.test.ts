import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, refused } from '../servers/faultyServerTest.ts';

describe('odd answers of the faulty server', () => {
  for (const [faults, status, type] of [
    [{ metadataStatus: 500 }, 500, null],
    [{ metadataHtml: true }, 200, 'text/html'],
    [{ metadataHtml: true, metadataStatus: 502 }, 502, 'text/html'],
    [{ metadataStatus: 203 }, 203, 'application/json'],
  ] as const) {
    holds(`metadata: ${JSON.stringify(faults)}`, faults, async (_client, server) => {
      const response = await fetch(`${server.issuer}/.well-known/oauth-authorization-server`);
      assert.deepEqual([response.status, response.headers.get('content-type')], [status, type]);
    });
  }

  holds('P33 tokenHtml answers a page, and uses nothing up', {}, async (client, server) => {
    const { refresh_token: token } = await client.signIn();
    server.faults.tokenHtml = true;
    const response = await client.refresh(token);
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/html']);
    assert.match(await response.text(), /^<!doctype html>/);
    server.faults.tokenHtml = false;
    assert.equal((await client.refresh(token)).status, 200);
  });

  for (const status of [302, 307, 308] as const) {
    holds(`P36 tokenRedirect ${status}, and uses nothing up`, {}, async (client, server) => {
      const { refresh_token: token } = await client.signIn();
      const to = `${server.secondIssuer}/token`;
      server.faults.tokenRedirect = { status, to };
      await client.refresh(token);
      // A client as plain as ours follows; what it then gives away is what a better one keeps.
      const followed = server.requestsTo('token').filter(({ url }) => url === to);
      assert.deepEqual(
        followed.map(({ method, form }) => [method, form?.['refresh_token']]),
        [status === 302 ? ['GET', undefined] : ['POST', token]],
      );
      assert.ok(server.isActive(token ?? ''));
    });
  }

  holds('P32 tokenFailures fails so often, then no more', {}, async (client, server) => {
    const { refresh_token: token } = await client.signIn();
    Object.assign(server.faults, { tokenStatus: 429, tokenFailures: 2, retryAfter: '1' });
    await refused(client.refresh(token), 429, 'server_error');
    await refused(client.refresh(token), 429, 'server_error');
    assert.equal(server.faults.tokenFailures, 0);
    assert.equal((await client.refresh(token)).status, 200);
  });

  holds('now is the time of requests and of expiry', { expiresIn: 60 }, async (client, server) => {
    const { access_token: token } = await client.signIn();
    const later = Date.now() + 60_000;
    server.faults.now = () => later;
    assert.equal((await client.callTool(token, 'read_file')).status, 401);
    assert.equal(server.requests.at(-1)?.at, later);
  });
});

describe('odd callbacks of the faulty server', () => {
  for (const [callbackIss, expected] of [
    ['right', ['']],
    ['wrong', ['wrong']],
    ['absent', []],
    ['repeated', ['', 'wrong']],
    ['slash', ['/']],
  ] as const) {
    holds(`P17 callbackIss ${callbackIss}`, { callbackIss }, async (client, server) => {
      await client.register();
      const given = (await client.authorize()).searchParams.getAll('iss');
      const values = expected.map((end) => (end === 'wrong' ? 'https://wrong.example' : server.issuer + end));
      assert.deepEqual(given, values);
    });
  }

  for (const [callbackState, expected] of [
    ['right', ['a-state']],
    ['wrong', ['a-state-wrong']],
    ['absent', []],
    ['repeated', ['a-state', 'a-state-wrong']],
  ] as const) {
    holds(`P16 callbackState ${callbackState}`, { callbackState }, async (client) => {
      await client.register();
      const callback = await client.authorize();
      assert.deepEqual(callback.searchParams.getAll('state'), expected);
      assert.ok(callback.searchParams.get('code'));
    });
  }
});
