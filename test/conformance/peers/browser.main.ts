// The browser of a peer that opens one by a command: it loads the authorization URL and then the peer's callback page.
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { followRedirect } from '../suite.ts';

/** A person takes seconds to sign in, and mcp-remote counts on that: it listens only after it has opened the browser. */
const SIGN_IN_LIMIT_MS = 10_000;

const deadline = Date.now() + SIGN_IN_LIMIT_MS;
const callback = await followRedirect(process.argv.at(-1) ?? '');
if (callback !== undefined) {
  // The listening of another process announces nothing.
  while (Date.now() < deadline && !(await isLoaded(callback))) await delay(50);
}

/** Loads the page; gives false when nothing listens. */
async function isLoaded(url: URL): Promise<boolean> {
  try {
    await (await fetch(url, { signal: AbortSignal.timeout(SIGN_IN_LIMIT_MS) })).text();
    return true;
  } catch {
    return false;
  }
}
