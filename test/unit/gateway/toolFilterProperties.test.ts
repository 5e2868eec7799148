import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { filterAnswer as filterWhole, judgeRequest } from '../../../src/gateway/toolFilter.ts';
import { cut, filterAnswer } from './filtering.ts';

const ALLOWED = ['read', 'größe', '"]}', ''];
const RUNS = { numRuns: 400 };

/** Numbers that decide, one after the other, how something is written. */
class Choices {
  readonly #numbers: readonly number[];
  #next = 0;
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  of<T>(...options: readonly [T, ...T[]]): T {
    const number = this.#numbers[this.#next++ % this.#numbers.length] ?? 0;
    return options[number % options.length] ?? options[0];
  }
  from(options: readonly string[]): string {
    const [first = ':', ...rest] = options;
    return this.of(first, ...rest);
  }
}

function escape(unit: string): string {
  return String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Writes JSON in one of many ways: with white space, and characters escaped. */
function write(value: unknown, choices: Choices, space: readonly [string, ...string[]]): string {
  const gap = (): string => choices.of('', '', ...space);
  const wrap = (parts: string[], open: string, close: string): string =>
    open + gap() + parts.join(`${gap()},${gap()}`) + gap() + close;
  if (Array.isArray(value))
    return wrap(
      value.map((each) => write(each, choices, space)),
      '[',
      ']',
    );
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, each]) => `${write(key, choices, space)}${gap()}:${gap()}${write(each, choices, space)}`,
    );
    return wrap(members, '{', '}');
  }
  if (typeof value !== 'string') return JSON.stringify(value);
  const units = [
    ...JSON.stringify(value)
      .slice(1, -1)
      .matchAll(/\\.[0-9a-f]{0,4}|[\uD800-\uDBFF][\uDC00-\uDFFF]|[^]/g),
  ];
  return `"${units.map(([unit]) => (unit.length === 1 && choices.of(0, 0, 0, 1) === 1 ? escape(unit) : unit)).join('')}"`;
}

const numbers = fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 });
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
const name = fc.oneof(
  fc.constantFrom(...ALLOWED),
  fc.constantFrom('other', 'Read', 'read\0', 'gro\u0308ße'),
  fc.string(),
);
const json = fc.jsonValue({ maxDepth: 2 });
const tool = fc.oneof(
  { weight: 4, arbitrary: fc.record({ description: json, name, inputSchema: json }, { requiredKeys: ['name'] }) },
  { weight: 1, arbitrary: json },
);
const result = fc.oneof(
  fc.record({ _meta: json, tools: fc.array(tool, { maxLength: 5 }), nextCursor: fc.string() }, { requiredKeys: [] }),
  json,
);
const message = fc.oneof(
  fc.record({ id: json, result, params: json, error: json, method: fc.string(), tools: json }, { requiredKeys: [] }),
  json,
);
const body = fc.oneof(message, fc.array(message, { maxLength: 3 }));

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is to be left of a body that was parsed. */
function filtered(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(filtered);
  if (!isObject(body) || !isObject(body['result']) || !Array.isArray(body['result']['tools'])) return body;
  const tools = body['result']['tools'].filter(
    (tool) => isObject(tool) && typeof tool['name'] === 'string' && ALLOWED.includes(tool['name']),
  );
  return { ...body, result: { ...body['result'], tools } };
}

/** As a client does that compares by value; JSON knows no -0. */
function parse(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => (Object.is(value, -0) ? 0 : value));
}

/** What a client reads from a stream of events, the data by `read`. */
function events(stream: string, readData: (data: string) => unknown): unknown[] {
  const read: unknown[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => read.push({ id, event, data: readData(data) }),
    onRetry: (retry) => read.push({ retry }),
    onComment: (comment) => read.push({ comment }),
  });
  parser.feed(stream);
  return read;
}

describe('P43 whatever the server answers, in pieces of any size', () => {
  it('the filtered JSON is what filtering the parsed JSON gives', async () => {
    const property = fc.asyncProperty(body, numbers, sizes, async (body, numbers, sizes) => {
      const text = write(body, new Choices(numbers), [' ', '\n', '\r\n\t']);
      const passed = await filterAnswer('application/json', cut(text, sizes), ALLOWED);
      assert.equal(filterWhole(Buffer.from(text), ALLOWED).toString(), passed);
      const expected = filtered(parse(text));
      assert.deepEqual(parse(passed), expected);
      // Without a list of tools, or with all of it allowed, not a byte is another one.
      if (JSON.stringify(expected) === JSON.stringify(parse(text))) assert.equal(passed, text);
    });
    await fc.assert(property, RUNS);
  });

  it('the filtered events are what filtering each one gives', async () => {
    const field = fc.constantFrom('id: 7', 'event: message', 'retry: 9', ': data: {', ':', 'data', 'x: y', 'id');
    const event = fc.record({ body, numbers, fields: fc.array(field, { minLength: 1, maxLength: 6 }) });
    const property = fc.asyncProperty(fc.array(event, { maxLength: 4 }), sizes, async (list, sizes) => {
      const stream = list.map(({ body, numbers, fields }) => {
        const choices = new Choices(numbers);
        const end = choices.of('\n', '\r\n', '\r');
        const [first = '', ...more] = write(body, choices, [' ', '\n']).split('\n');
        const lines = [choices.from(fields), `data:${first}`];
        for (const line of more) lines.push(...choices.of([], [choices.from(fields)]), `data: ${line}`);
        return [...lines, choices.from(fields), '', ''].join(end);
      });
      const text = stream.join('');
      const passed = await filterAnswer('text/event-stream', cut(text, sizes), ALLOWED);
      assert.deepEqual(
        events(passed, parse),
        events(text, (data) => filtered(parse(data))),
      );
    });
    await fc.assert(property, RUNS);
  });

  it('no tool passes that is not allowed, also in what is nearly JSON', async () => {
    const scratch = fc.record({
      at: fc.nat(),
      with: fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', ' ', 'x', ''),
    });
    const property = fc.asyncProperty(
      body,
      numbers,
      sizes,
      fc.array(scratch, { maxLength: 3 }),
      async (body, numbers, sizes, scratches) => {
        let text = write(body, new Choices(numbers), [' ']);
        for (const { at, with: what } of scratches) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + what + text.slice(place + 1);
        }
        const passed = await filterAnswer('application/json', cut(text, sizes), ALLOWED);
        let read: unknown;
        try {
          read = parse(passed);
        } catch {
          return;
        }
        assert.deepEqual(read, filtered(read));
      },
    );
    await fc.assert(property, { numRuns: 1500 });
  });
});

/** How parsers of JSON find the value of a key that is there in several spellings. */
const FINDERS = [
  (members: [string, unknown][], key: string) => members.find(([each]) => each === key)?.[1],
  (members: [string, unknown][], key: string) => members.findLast(([each]) => each === key)?.[1],
  (members: [string, unknown][], key: string) => members.find(([each]) => each.toLowerCase() === key)?.[1],
  (members: [string, unknown][], key: string) => members.findLast(([each]) => each.toLowerCase() === key)?.[1],
] as const;

/** An object as its members, so that a key can be there twice. */
class Members {
  readonly list: [string, unknown][];
  constructor(list: [string, unknown][]) {
    this.list = list;
  }
}

function writeMembers(value: unknown, choices: Choices): string {
  if (Array.isArray(value)) return `[${value.map((each) => writeMembers(each, choices)).join(', ')}]`;
  if (!(value instanceof Members)) return write(value, choices, [' ']);
  return `{${value.list.map(([key, each]) => `${write(key, choices, [' '])}: ${writeMembers(each, choices)}`).join(' ,')}}`;
}

function members(keys: readonly [string, fc.Arbitrary<unknown>][]): fc.Arbitrary<Members> {
  return fc
    .array(fc.oneof(...keys.map(([key, value]) => fc.tuple(fc.constant(key), value))), { maxLength: 6 })
    .map((list) => new Members(list));
}

describe('P43 whatever the client sends', () => {
  const names = fc.constantFrom<unknown>('read', 'other', 'größe', 'READ', 1);
  const params = members([
    ['name', names],
    ['name', names],
    ['Name', names],
    ['arguments', json],
    ['task', json],
  ]);
  const methods = fc.constantFrom('tools/call', 'tools/call', 'tools/list', 'ping', 'Tools/Call', 'tools/call ');
  const request = members([
    ['id', fc.constantFrom<unknown>(1, 'a', null)],
    ['method', methods],
    ['Method', methods],
    ['params', params],
    ['params', fc.oneof(params, json)],
    ['PARAMS', params],
    ['result', json],
  ]);

  it('no parser finds a call of another tool in what is sent on', () => {
    let forwarded = 0;
    const property = fc.property(fc.oneof(request, fc.array(request, { maxLength: 3 })), numbers, (body, numbers) => {
      const text = writeMembers(body, new Choices(numbers));
      const verdict = judgeRequest(Buffer.from(text), { 'content-type': 'application/json' }, ALLOWED);
      if (verdict.type === 'refuse') {
        assert.ok(verdict.status === 200 || verdict.status >= 400);
        assert.match(verdict.body, /^\[?\{"jsonrpc":"2\.0",.*"error":/);
        return;
      }
      forwarded += 1;
      assert.equal(verdict.body.toString(), text);
      for (const message of Array.isArray(body) ? body : [body]) {
        for (const find of FINDERS) {
          const method = find(message.list, 'method');
          if (typeof method !== 'string' || method.trim().toLowerCase() !== 'tools/call') continue;
          const params = find(message.list, 'params');
          assert.ok(params instanceof Members);
          assert.ok(ALLOWED.includes(String(find(params.list, 'name'))));
        }
      }
    });
    fc.assert(property, { numRuns: 3000 });
    assert.ok(forwarded > 100, String(forwarded));
  });
});
