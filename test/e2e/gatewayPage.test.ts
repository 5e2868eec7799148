// The page that a local client's sign-in shows in a real browser, while the person answers in the editor.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { deferred } from '../../src/connections/deferred.ts';
import type { ConsentAnswer } from '../../src/gateway/ports.ts';
import { allowedOf, type AuthorizationFixture, serveAuthorization } from '../headless/gatewayAuthorization.ts';
import { createGatewayClient, type GatewayClient } from '../headless/gatewayClient.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import { type BrowserSession, startBrowser } from '../stand/browser.ts';

let browser: BrowserSession;
let gateway: AuthorizationFixture;
let client: GatewayClient;
let listener: Server;
let redirectUri: string;

before(async () => {
  listener = createServer((_request, response) => response.end('The client has its answer.'));
  redirectUri = `${await listenOnLoopback(listener)}/callback`;
  gateway = await serveAuthorization();
  client = createGatewayClient(gateway.origin);
  await client.register({ client_name: 'A client', redirect_uris: [redirectUri] });
  browser = await startBrowser();
});
after(async () => {
  await browser.dispose();
  await gateway.stop();
  await stopServer(listener);
});

/** Has the person see a question; gives the way to answer it. */
function nextQuestion() {
  const shown = deferred<{ readonly answer: (answer: ConsentAnswer) => void; readonly signal: AbortSignal }>();
  gateway.askConsent = async (_request, signal) => {
    const { promise, resolve } = deferred<ConsentAnswer>();
    shown.resolve({ answer: resolve, signal });
    return promise;
  };
  return shown.promise;
}

describe('a local client in the browser', { timeout: 60_000 }, () => {
  it('P44 the page stays while the person answers, and then the client has its code', async () => {
    const question = nextQuestion();
    const page = await browser.context.newPage();
    const browserSide = await browser.context.newCDPSession(page);
    await page.goto(client.authorizationUrl({ redirect_uri: redirectUri }).href, { waitUntil: 'commit' });
    const { answer } = await question;
    // The page is on its way to the next one all the time, and answers nothing: the browser itself is asked.
    const { targetInfo } = await browserSide.send('Target.getTargetInfo');
    assert.equal(targetInfo.title, 'Answer in the editor – Scopekeeper');
    const arrived = page.waitForURL(`${redirectUri}?**`);
    answer(allowedOf('notes'));
    await arrived;
    const callback = new URL(page.url());
    assert.equal((await client.exchange(callback, { redirect_uri: redirectUri })).status, 200);
    await page.close();
  });

  it('P44 closing the tab takes the question back', async () => {
    const question = nextQuestion();
    const page = await browser.context.newPage();
    await page.goto(client.authorizationUrl({ redirect_uri: redirectUri }).href, { waitUntil: 'commit' });
    const { signal } = await question;
    const takenBack = once(signal, 'abort');
    await page.close();
    await takenBack;
    assert.equal(signal.aborted, true);
  });

  it('P44 a page of the web that asks from behind is refused, and nobody is asked', async () => {
    const asked = gateway.questions.length;
    const page = await browser.context.newPage();
    await page.goto(redirectUri.replace('127.0.0.1', 'localhost'));
    const url = client.authorizationUrl({ redirect_uri: redirectUri }).href;
    for (const element of ['img', 'iframe', 'embed']) {
      const sent = page.waitForRequest(url);
      await page.setContent(`<${element} src="${url.replaceAll('&', '&amp;')}">`);
      // The browser hides an answer from the page that is no picture.
      const answer = await (await sent).response();
      if (answer !== null) assert.equal(answer.status(), 403, element);
    }
    assert.equal(gateway.questions.length, asked);
    await page.close();
  });
});
