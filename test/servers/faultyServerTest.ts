import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import type { Faults } from './faults.ts';
import { startFaultyServer, type FaultyServer } from './faultyServer.ts';
import { createPlainClient, json, tokens, type PlainClient, type Tokens } from './plainClient.ts';

type Check = (client: PlainClient, server: FaultyServer) => Promise<void>;

/** A test with a faulty server of its own, and a client that has not registered yet. */
export function holds(name: string, faults: Partial<Faults>, check: Check): void {
  test(name, async (t) => {
    const server = await startFaultyServer(faults);
    t.after(async () => server.close());
    await check(createPlainClient(server), server);
  });
}

/** Asserts that the answer is this OAuth error. */
export async function refused(answer: Promise<Response>, status: number, error: string): Promise<void> {
  const response = await answer;
  assert.equal(response.status, status);
  assert.equal(v.parse(json, await response.json())['error'], error);
}

/** The tokens of an answer that is a good one. */
export async function parsed(answer: Promise<Response>): Promise<Tokens> {
  return v.parse(tokens, await (await answer).json());
}

/** The JSON document at a URL. */
export async function documentAt(url: string | URL): Promise<Record<string, unknown>> {
  return v.parse(json, await (await fetch(url)).json());
}

/** The metadata of an issuer without a path. */
export async function metadataOf(issuer: string): Promise<Record<string, unknown>> {
  return documentAt(`${issuer}/.well-known/oauth-authorization-server`);
}
