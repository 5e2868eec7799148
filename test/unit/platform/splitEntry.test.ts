import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { deleteEntry, readEntry, writeEntry, type EntryAccess } from '../../../src/platform/splitEntry.ts';

const KEY = 'connection/1';
const ENDLESS = 'scopekeeper/parts:{"revision":"a","parts":1000000000}';

/** A keychain that keeps at most `maxEntryBytes` an entry, as Windows does, and can die before a change. */
class Keychain {
  readonly entries = new Map<string, string>();
  readonly access: EntryAccess;
  /** Changes that still succeed. */
  changesLeft = Infinity;

  constructor(maxEntryBytes: number) {
    const change = () => {
      if (this.changesLeft-- <= 0) throw new Error('killed');
    };
    const keytar = {
      getPassword: async (_service: string, key: string) => this.entries.get(key) ?? null,
      setPassword: async (_service: string, key: string, value: string) => {
        change();
        assert.ok(Buffer.byteLength(value) <= Math.max(maxEntryBytes, 60), 'entry too long');
        this.entries.set(key, value);
      },
      deletePassword: async (_service: string, key: string) => {
        change();
        return this.entries.delete(key);
      },
    };
    this.access = { keytar, service: 'test', maxEntryBytes };
  }
}

const values = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

describe('split entries', () => {
  it('a short value is one entry', async () => {
    const keychain = new Keychain(16);
    await writeEntry(keychain.access, KEY, '{"short":1}');
    assert.deepEqual([...keychain.entries], [[KEY, '{"short":1}']]);
  });

  it('P28 any value comes back, and nothing of the ones before it is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 5 }), async (written) => {
        const keychain = new Keychain(16);
        for (const value of written) {
          await writeEntry(keychain.access, KEY, value);
          assert.equal(await readEntry(keychain.access, KEY), value);
        }
        const fresh = new Keychain(16);
        await writeEntry(fresh.access, KEY, written.at(-1) ?? '');
        assert.equal(keychain.entries.size, fresh.entries.size);
        await deleteEntry(keychain.access, KEY);
        assert.equal(keychain.entries.size, 0);
      }),
    );
  });

  it('P28 a crash before any change leaves the old value or the new one, and the next write clears up', async () => {
    await fc.assert(
      fc.asyncProperty(values, values, values, fc.nat(20), async (first, second, third, changes) => {
        const keychain = new Keychain(16);
        await writeEntry(keychain.access, KEY, first);
        keychain.changesLeft = changes;
        await writeEntry(keychain.access, KEY, second).catch(() => undefined);
        keychain.changesLeft = Infinity;
        assert.ok([first, second].includes((await readEntry(keychain.access, KEY)) ?? ''));
        await writeEntry(keychain.access, KEY, third);
        assert.equal(await readEntry(keychain.access, KEY), third);
        await deleteEntry(keychain.access, KEY);
        assert.equal(keychain.entries.size, 0);
      }),
    );
  });

  it('a value that looks like a head is kept as it is', async () => {
    const keychain = new Keychain(64);
    const value = 'scopekeeper/parts:{"revision":"a","parts":1}';
    await writeEntry(keychain.access, KEY, value);
    assert.equal(await readEntry(keychain.access, KEY), value);
  });

  for (const [title, spoil, left] of [
    ['a missing part', (entries) => entries.delete(`${KEY}/part/a/1`), 'abcdefghijklmnop\n\nqrst'],
    ['a broken head', (entries) => entries.set(KEY, 'scopekeeper/parts:{"revision"'), 'scopekeeper/parts:{"revision"'],
    ['a head that names more parts than there can be', (entries) => entries.set(KEY, ENDLESS), ENDLESS],
  ] as readonly (readonly [string, (entries: Map<string, string>) => unknown, string])[]) {
    it(`${title} gives what is left, which is no JSON, and not a shorter secret`, async () => {
      const keychain = new Keychain(16);
      await writeEntry(keychain.access, KEY, `abcdefghijklmnop${'#'.repeat(16)}qrst`);
      spoil(keychain.entries);
      const text = (await readEntry(keychain.access, KEY)) ?? '';
      assert.ok(text.endsWith(left), text);
      assert.throws(() => JSON.parse(text), SyntaxError);
      await writeEntry(keychain.access, KEY, 'new');
      assert.equal(await readEntry(keychain.access, KEY), 'new');
    });
  }
});
