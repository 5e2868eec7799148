import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redirectKindOf, signInReturn, type WindowPlace } from '../../../../src/vscode/remote/signInReturn.ts';

const desktop = (host: WindowPlace['host'], remoteName?: string): WindowPlace => ({ host, remoteName, isWeb: false });
const web = (remoteName: string): WindowPlace => ({ host: 'workspace', remoteName, isWeb: true });

describe('P18 a sign-in comes back', () => {
  for (const [what, place, expected] of [
    ['a window with nothing remote', desktop('ui'), 'loopback'],
    ['the same, where the extension counts as one of the workspace', desktop('workspace'), 'loopback'],
    ['Remote-SSH, the extension here', desktop('ui', 'ssh-remote'), 'loopback'],
    ['WSL, the extension here', desktop('ui', 'wsl'), 'loopback'],
    ['a dev container, the extension here', desktop('ui', 'dev-container'), 'loopback'],
    ['Codespaces in the desktop editor', desktop('ui', 'codespaces'), 'loopback'],
    ['Remote-SSH, the extension there', desktop('workspace', 'ssh-remote'), 'uri_handler'],
    ['a dev container, the extension there', desktop('workspace', 'dev-container'), 'uri_handler'],
    ['a tunnel, the extension there', desktop('workspace', 'tunnel'), 'uri_handler'],
    ['WSL, the extension there: its ports are those of Windows', desktop('workspace', 'wsl'), 'loopback'],
    ['Codespaces in the browser', web('codespaces'), 'paste'],
    ['an editor of a server elsewhere', web('code.example:8443'), 'paste'],
    ['an editor of a server on this computer', web('127.0.0.1:8080'), 'loopback'],
    ['the same by its name', web('localhost:8080'), 'loopback'],
    ['a name that only begins so', web('localhost.example:8080'), 'paste'],
  ] as const) {
    it(`to ${what} by ${expected}`, () => {
      assert.equal(signInReturn(place), expected);
    });
  }

  for (const [what, place, wanted, expected] of [
    ['the editor, where a port would do', desktop('ui'), 'uri_handler', 'uri_handler'],
    ['the editor, in a web page that it can open', web('codespaces'), 'uri_handler', 'uri_handler'],
    ['a port, which the browser cannot reach', desktop('workspace', 'ssh-remote'), 'loopback', 'paste'],
    ['a port', desktop('ui'), 'loopback', 'loopback'],
  ] as const) {
    it(`by ${expected} where the person set ${what}`, () => {
      assert.equal(signInReturn(place, wanted), expected);
    });
  }

  it('with a redirect URI that is the same each time', () => {
    assert.deepEqual(
      (['loopback', 'uri_handler', 'paste'] as const).map((way) => redirectKindOf(way)),
      ['loopback', 'uri_handler', 'loopback'],
    );
  });
});
