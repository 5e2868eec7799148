import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { StoredConnection } from '../../src/connections/storedConnections.ts';
import { userFolder } from '../../src/platform/userFolder.ts';
import { manyConnections } from '../headless/manyConnections.ts';
import { type Session, withSession } from './session.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A connection as the file has it, signed in for `leftMs` with nothing to renew it, but for what is changed. */
function stored(name: string, leftMs: number, change: Partial<StoredConnection> = {}): StoredConnection {
  const now = Date.now();
  const scopes = ['repo:read', 'repo:write', 'issues:read'];
  const slug = name.toLowerCase().replaceAll(' ', '-');
  return {
    id: slug,
    name,
    slug,
    serverUrl: `https://${slug}.example/mcp`,
    kind: 'authorization_code',
    issuer: `https://login.${slug}.example`,
    requested: scopes,
    challenged: [],
    settings: {},
    generation: 1,
    activity: [{ at: now - 5 * MINUTE_MS, type: 'connected', scopes }],
    grant: {
      authorized: scopes,
      granted: scopes,
      expiresAt: now + leftMs,
      refreshable: false,
      issuedAt: now - 5 * MINUTE_MS,
      generation: 1,
    },
    ...change,
  };
}

function withoutGrant(
  { grant: _grant, ...rest }: StoredConnection,
  change: Partial<StoredConnection>,
): StoredConnection {
  return { ...rest, ...change };
}

/** Puts connections in the place of those that there are, as another window would have kept them. */
async function keep({ server, workbench }: Session, connections: readonly StoredConnection[]): Promise<void> {
  const folder = userFolder(process.platform, {}, server.home);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'connections.json'), JSON.stringify({ version: 1, connections }));
  await workbench.reload();
  await workbench.servers.show();
}

test('the status bar is quiet while all is well, tells what is urgent, and its hover lists the connections', async () => {
  await withSession('status', async (session) => {
    const { workbench } = session;
    const { page, quickInput, servers } = workbench;
    const item = workbench.statusItem('status');
    const hover = page.locator('.workbench-hover', { hasText: 'MCP Connections' }).first();
    const picture = async (name: string): Promise<void> => {
      await item.hover();
      await hover.waitFor();
      await workbench.screenshot(`${name}-dark`);
      await workbench.screenshot(`${name}-light`, 'light');
      await page.mouse.move(640, 300);
      await hover.waitFor({ state: 'hidden' });
    };

    const github = stored('GitHub', 89 * DAY_MS, { account: 'ada@example.com' });
    const linear = stored('Linear', 3 * DAY_MS);
    await keep(session, [github, linear]);
    await item.filter({ hasText: /^\s*2$/ }).waitFor();
    assert.match((await item.getAttribute('aria-label')) ?? '', /2 connected/);
    await picture('status-well');

    const soon = stored('Sentry', 42 * MINUTE_MS);
    await keep(session, [github, soon, linear]);
    await item.filter({ hasText: '1 of 3' }).waitFor();
    assert.match((await item.getAttribute('aria-label')) ?? '', /1 of 3 will soon need you/);
    await picture('status-attention');

    const scopes = ['repo:read', 'repo:write', 'issues:read'];
    const { grant } = github;
    assert.ok(grant);
    const states = [
      github,
      soon,
      stored('Dropped', 2 * DAY_MS, { grant: { ...grant, granted: ['repo:read'] } }),
      stored('Demanded', 2 * DAY_MS, {
        challenged: ['repo:admin'],
        demands: [
          {
            at: Date.now(),
            scopes: ['repo:admin'],
            operation: 'tools/call delete_repository',
            client: { kind: 'oauth', label: 'Claude Code' },
          },
        ],
      }),
      withoutGrant(linear, { needsSignIn: { reason: 'expired', since: Date.now() } }),
      withoutGrant(stored('Signed out', 0), { requested: scopes }),
    ];
    await keep(session, states);
    await item.filter({ hasText: '2 of 6' }).waitFor();
    await servers.expand('GitHub');
    await servers.expand('Demanded');
    await servers.row('for delete_repository').waitFor();
    assert.deepEqual(
      (await servers.rows()).filter(({ level }) => level === 1).map(({ name }) => name),
      states.map(({ name }) => name),
      'rows stay in their order, whatever their state',
    );
    await picture('status-error');
    await item.click();
    await quickInput.waitFor('Choose a connection to sign in to');
    assert.deepEqual(
      (await quickInput.rows()).slice(0, 2).map(({ label }) => label),
      ['Linear', 'Sentry'],
    );
    await workbench.screenshot('status-click-dark');
    await workbench.screenshot('status-click-light', 'light');
    await quickInput.cancel();

    await keep(session, manyConnections(1000, Date.now()));
    await item.filter({ hasText: 'of 1000' }).waitFor();
    await picture('status-many');
  });
});
