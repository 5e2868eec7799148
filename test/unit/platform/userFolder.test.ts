import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { userFolder } from '../../../src/platform/userFolder.ts';

describe('userFolder', () => {
  const table: readonly [NodeJS.Platform, Record<string, string>, string, string][] = [
    ['linux', {}, '/home/ann', '/home/ann/.config/scopekeeper'],
    ['linux', { XDG_CONFIG_HOME: '/x/cfg' }, '/home/ann', '/x/cfg/scopekeeper'],
    ['linux', { XDG_CONFIG_HOME: '' }, '/home/ann', '/home/ann/.config/scopekeeper'],
    ['linux', { XDG_CONFIG_HOME: 'relative' }, '/home/ann', '/home/ann/.config/scopekeeper'],
    ['freebsd', {}, '/home/ann', '/home/ann/.config/scopekeeper'],
    ['darwin', { XDG_CONFIG_HOME: '/x' }, '/Users/ann', '/Users/ann/Library/Application Support/Scopekeeper'],
    ['win32', { APPDATA: String.raw`D:\Roaming` }, String.raw`C:\Users\ann`, String.raw`D:\Roaming\Scopekeeper`],
    ['win32', {}, String.raw`C:\Users\ann`, String.raw`C:\Users\ann\AppData\Roaming\Scopekeeper`],
  ];
  for (const [platform, env, home, expected] of table) {
    it(`${platform} with ${JSON.stringify(env)} is ${expected}`, () => {
      assert.equal(userFolder(platform, env, home), expected);
    });
  }
});
