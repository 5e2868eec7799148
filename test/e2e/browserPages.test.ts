// What the browser shows of Scopekeeper: at the end of a sign-in, and while or because a local client asks for access.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { ConnectionError } from '../../src/connections/errors.ts';
import type { CallbackOutcome } from '../../src/connections/connectionService.ts';
import type { AuthorizationPage } from '../../src/gateway/ports.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import { renderCallbackPage } from '../../src/platform/callbackPage.ts';
import { type CallbackAnswer, createRequestListener } from '../../src/platform/callbackRoute.ts';
import { authorizationWords } from '../../src/vscode/authorizationWords.ts';
import { callbackWords } from '../../src/vscode/callbackWords.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import { type BrowserSession, startBrowser } from '../stand/browser.ts';
import { SCREENSHOTS_FOLDER } from '../stand/standPaths.ts';
import { connectionIn, grantWith } from '../unit/connectionFixture.ts';
import { findViolations, overflowOf } from './axe.ts';

const LONG = 'https://authorization.example.com/tenants/0b8f8c52-7a37-4a63-a3d4-0c1c6f2b8a5e/oauth2/v2.0';
const MANY_SCOPES = [
  'files:read',
  'files:write',
  `https://graph.example.com/${'VeryLongScopeName.'.repeat(8)}ReadWrite.All`,
];

function connected(requested: readonly string[], granted: readonly string[], name: string): CallbackOutcome {
  const grant = grantWith({ authorized: requested, granted });
  return { type: 'connected', connection: connectionIn({ type: 'ready', grant }, { requested, name }) };
}

function failed(error: OAuthError | ConnectionError): CallbackOutcome {
  return { type: 'failed', error };
}

const OUTCOMES: Readonly<Record<string, CallbackOutcome>> = {
  connected: connected(['notes:read', 'notes:write'], ['notes:read', 'notes:write'], 'Sample Notes'),
  'connected-in-part': connected(MANY_SCOPES, MANY_SCOPES.slice(0, 2), 'N'.repeat(80)),
  'connected-without-scopes': connected([], [], 'mcp.example.com'),
  denied: failed(
    new OAuthError('authorization_denied', { issuer: LONG, description: 'The person said no. '.repeat(20) }),
  ),
  foreign: failed(new OAuthError('callback_state_unknown', {})),
  repeated: failed(new OAuthError('callback_repeated', {})),
  'keychain-locked': failed(new ConnectionError('keychain_locked', {})),
};

const REQUESTS: Readonly<Record<string, AuthorizationPage>> = {
  asking: { type: 'asking', clientName: 'Claude Code' },
  'asking-long-name': { type: 'asking', clientName: `${'W'.repeat(60)} (${LONG})` },
  'unknown-client': { type: 'refused', problem: 'unknown_client' },
  'wrong-redirect': { type: 'refused', problem: 'wrong_redirect' },
  'invalid-request': { type: 'refused', problem: 'invalid_request' },
  'page-expired': { type: 'refused', problem: 'page_expired' },
  unavailable: { type: 'refused', problem: 'unavailable' },
};

const PAGES: ReadonlyMap<string, string> = new Map(
  [
    ...Object.entries(OUTCOMES).map(([name, outcome]) => [`callback-${name}`, callbackWords(outcome)] as const),
    ...Object.entries(REQUESTS).map(([name, request]) => [`access-${name}`, authorizationWords(request)] as const),
  ].map(([name, words]) => [name, renderCallbackPage(words)]),
);

/** What the person or the browser may have changed. `zoom` is of the whole page, as by Ctrl and plus. */
const LOOKS = [
  { look: 'light', media: { colorScheme: 'light' }, width: 1000, zoom: 1, isLookedAtByAxe: true },
  { look: 'dark', media: { colorScheme: 'dark' }, width: 1000, zoom: 1, isLookedAtByAxe: true },
  {
    look: 'forced',
    media: { colorScheme: 'dark', forcedColors: 'active' },
    width: 1000,
    zoom: 1,
    isLookedAtByAxe: false,
  },
  { look: 'narrow', media: { colorScheme: 'light' }, width: 320, zoom: 1, isLookedAtByAxe: false },
  { look: 'zoomed', media: { colorScheme: 'dark' }, width: 1000, zoom: 2, isLookedAtByAxe: false },
] as const;

let browser: BrowserSession;
let page: Page;
let origin: string;
const server = createServer((request, response) => listener(request, response));
let listener: ReturnType<typeof createRequestListener>;

before(async () => {
  origin = await listenOnLoopback(server);
  const upgrade = { path: '/none', token: 'none', accept: () => undefined };
  listener = createRequestListener({ onCallback: pageAt, upgrade }, Number(new URL(origin).port), 5000);
  browser = await startBrowser();
  page = await browser.context.newPage();
});
after(async () => {
  await browser.dispose();
  await stopServer(server);
});

async function pageAt({ searchParams }: URL): Promise<CallbackAnswer> {
  return { status: 200, html: PAGES.get(searchParams.get('page') ?? '') ?? '' };
}

describe('the pages in the browser', { timeout: 120_000 }, () => {
  it('would not go unnoticed if something were wrong with them', async () => {
    await page.setContent('<title>A page</title><div style="width: 5000px"><img src="data:,"></div>');
    assert.match((await findViolations(page.locator('html'))).join('\n'), /image-alt/);
    assert.ok((await overflowOf(page.locator('html'))) > 0);
  });
  for (const name of PAGES.keys()) {
    it(`${name} has no violation in any look, and is never wider than its window`, async () => {
      for (const { look, media, width, zoom, isLookedAtByAxe } of LOOKS) {
        // A page that is zoomed has so many fewer CSS pixels.
        await page.setViewportSize({ width: Math.round(width / zoom), height: Math.round(700 / zoom) });
        await page.emulateMedia({ forcedColors: 'none', ...media });
        await page.goto(`${origin}/callback?page=${name}`);
        const document = page.locator('html');
        assert.equal(await overflowOf(document), 0, look);
        if (isLookedAtByAxe) assert.deepEqual(await findViolations(document), [], look);
        await page.screenshot({ path: path.join(SCREENSHOTS_FOLDER, `${name}-${look}.png`), fullPage: true });
      }
    });
  }
});
