// The sample server of the extension without an editor, and a person who presses the buttons of its page.
import assert from 'node:assert/strict';
import path from 'node:path';
import type { ConnectionService } from '../../src/connections/connectionService.ts';
import type { Clock, ConnectionsFile, Log } from '../../src/connections/ports.ts';
import { SealingKeys } from '../../src/connections/sealingKeys.ts';
import type { SampleHost } from '../../src/sample/sampleHost.ts';
import { createSampleServer } from '../../src/sample/sampleServer.ts';
import { createSampleHost } from '../../src/sampleParts.ts';
import { renderConsentPage } from '../../src/platform/consentPage.ts';
import { sampleConsentWords } from '../../src/vscode/sample/sampleConsentWords.ts';
import { FolderSecretStore } from './folderSecretStore.ts';
import { browse, NAVIGATION } from './gatewayClient.ts';

export interface HeadlessSampleOptions {
  /** The user's folder. */
  readonly folder: string;
  readonly connections: ConnectionService;
  readonly file: ConnectionsFile;
  readonly clock: Clock;
  readonly log: Log;
}

/** The sample server as the extension makes it, but for its bundle. */
export function createHeadlessSample(options: HeadlessSampleOptions): SampleHost {
  const keychain = new FolderSecretStore(path.join(options.folder, 'keychain'));
  return createSampleHost({
    ...options,
    keys: new SealingKeys({ keychain, editor: undefined, log: options.log }),
    load: () => ({ createSampleServer }),
    renderConsent: (question, answerAt) => renderConsentPage(sampleConsentWords(question), answerAt),
    renderPage: (page) => (page.type === 'asking' ? page.type : page.problem),
    version: '0.0.0',
  });
}

/** What the person sees on the page: the scopes that can be ticked, and where the form goes. */
export interface ConsentForm {
  readonly scopes: readonly string[];
  readonly action: URL;
  readonly html: string;
  readonly policy: string;
}

/** Opens the page to which an authorization URL leads. */
export async function openConsent(authorizationUrl: string): Promise<ConsentForm> {
  const { headers, status, text } = await browse(authorizationUrl, NAVIGATION);
  assert.equal(status, 200, text);
  const scopes = Array.from(text.matchAll(/name="scope" value="([^"]+)" checked/g), (match) => match[1] ?? '');
  const action = new URL(/action="([^"]+)"/.exec(text)?.[1] ?? '', authorizationUrl);
  return { scopes, action, html: text, policy: String(headers['content-security-policy']) };
}

/** Presses a button, and gives where the browser is sent. */
export async function decide(
  { action, scopes }: ConsentForm,
  decision: 'allow' | 'deny',
  unticked: readonly string[] = [],
): Promise<URL> {
  const url = new URL(action);
  for (const scope of scopes) if (!unticked.includes(scope)) url.searchParams.append('scope', scope);
  url.searchParams.set('decision', decision);
  const { headers, status, text } = await browse(url, NAVIGATION);
  assert.equal(status, 302, text);
  return new URL(String(headers.location));
}
