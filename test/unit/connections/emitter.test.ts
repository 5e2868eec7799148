import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Emitter } from '../../../src/connections/emitter.ts';

interface Event {
  readonly name: string;
}

function fail(error: unknown): void {
  assert.fail(String(error));
}

describe('an emitter', () => {
  it('tells every listener, until it is disposed', () => {
    const emitter = new Emitter<Event>(fail);
    const heard: string[] = [];
    const first = emitter.listen(({ name }) => heard.push(`first ${name}`));
    emitter.listen(({ name }) => heard.push(`second ${name}`));
    emitter.fire({ name: 'a' });
    first.dispose();
    first.dispose();
    emitter.fire({ name: 'b' });
    assert.deepEqual(heard, ['first a', 'second a', 'second b']);
  });

  it('tells all listeners events in one order, also those that a listener fires', () => {
    const emitter = new Emitter<Event>(fail);
    const heard: string[] = [];
    emitter.listen(({ name }) => {
      heard.push(`first ${name}`);
      if (name === 'a') emitter.fire({ name: 'b' });
    });
    emitter.listen(({ name }) => heard.push(`second ${name}`));
    emitter.fire({ name: 'a' });
    emitter.fire({ name: 'c' });
    assert.deepEqual(heard, ['first a', 'second a', 'first b', 'second b', 'first c', 'second c']);
  });

  it('hands on what a listener throws, and tells the others all the same', () => {
    const errors: unknown[] = [];
    const emitter = new Emitter<Event>((error) => errors.push(error));
    const heard: string[] = [];
    const broken = new Error('broken');
    emitter.listen(() => {
      throw broken;
    });
    emitter.listen(({ name }) => heard.push(name));
    emitter.fire({ name: 'a' });
    emitter.fire({ name: 'b' });
    assert.deepEqual(heard, ['a', 'b']);
    assert.deepEqual(errors, [broken, broken]);
  });
});
