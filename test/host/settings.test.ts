import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { clientMetadataUrl } from '../../src/vscode/settings.ts';

async function set(value: string | undefined): Promise<void> {
  const settings = vscode.workspace.getConfiguration();
  await settings.update('scopekeeper.clientMetadataUrl', value, vscode.ConfigurationTarget.Global);
}

describe('the client metadata document', () => {
  after(async () => set(undefined));

  for (const [value, url] of [
    [undefined, undefined],
    ['https://example.com/oauth-client.json', 'https://example.com/oauth-client.json'],
    ['http://example.com/oauth-client.json', undefined],
    ['https://example.com', undefined],
    ['nonsense', undefined],
  ] as const) {
    it(`P8 is ${url ?? 'none'} for the setting ${value ?? '(unset)'}`, async () => {
      await set(value);
      assert.equal(clientMetadataUrl(), url);
    });
  }
});
