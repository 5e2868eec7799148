import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ConnectionRecords } from '../../../src/connections/connectionRecords.ts';
import { newSlug, SLUG } from '../../../src/connections/slug.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { MemoryFile, MemoryLog } from '../../headless/memoryPorts.ts';

describe('newSlug', () => {
  const names: [name: string, slug: string][] = [
    ['linear.app', 'linear-app'],
    ['127.0.0.1:8080', '127-0-0-1-8080'],
    ['Crème Brûlée (work)', 'creme-brulee-work'],
    ['日本', 'server'],
    ['', 'server'],
    ['--', 'server'],
    ['callback', 'callback-2'],
    ['oauth', 'oauth-2'],
    ['window', 'window-2'],
    ['a'.repeat(50), 'a'.repeat(36)],
    [`${'a'.repeat(35)} b`, 'a'.repeat(35)],
  ];
  for (const [name, slug] of names) {
    it(`makes ${slug} of ${JSON.stringify(name)}`, () => assert.equal(newSlug(name, new Set()), slug));
  }

  for (const text of ['', '-a', 'a-', 'A', 'a b', 'a/b', 'é', 'a'.repeat(41)]) {
    it(`would not take ${JSON.stringify(text)} for a slug`, () => assert.doesNotMatch(text, SLUG));
  }

  it('makes a free slug of any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (name) => {
        const taken = new Set<string>();
        for (let count = 0; count < 3; count += 1) {
          const slug = newSlug(name, taken);
          assert.match(slug, SLUG);
          assert.ok(!taken.has(slug));
          taken.add(slug);
        }
      }),
    );
  });
});

const stored = (id: string, name: string, slug?: string) => ({
  id,
  name,
  ...(slug !== undefined && { slug }),
  serverUrl: `https://${id}.example/mcp`,
  kind: 'authorization_code',
  requested: [],
  challenged: [],
  settings: {},
  generation: 0,
  activity: [],
});

const slugs = (records: ConnectionRecords) => records.list().map(({ connection }) => connection.slug);

describe('the slugs of connections', () => {
  it('are given to those of a file that has none, saved, and stay when a name changes', async () => {
    const file = new MemoryFile();
    const connections = [stored('a', 'Notes'), stored('b', 'Notes', 'notes'), stored('c', 'Notes', 'notes')];
    file.text = JSON.stringify({ version: 1, connections });
    const load = async () => {
      const records = new ConnectionRecords(file, systemClock, new MemoryLog(), () => undefined);
      await records.load();
      await records.save();
      return records;
    };
    const records = await load();
    assert.deepEqual(slugs(records), ['notes-2', 'notes', 'notes-3']);
    records.update('a', { name: 'Mail' });
    await records.save();
    assert.deepEqual(slugs(await load()), ['notes-2', 'notes', 'notes-3']);
  });
});
