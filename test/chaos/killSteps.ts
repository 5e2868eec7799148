import fs from 'node:fs';
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { SecretStore } from '../../src/connections/ports.ts';
import type { Step } from './messages.ts';

let armed: Step | undefined;

/** From now on the process ends by SIGKILL when it reaches this step. */
export function killAt(step: Step | undefined): void {
  armed = step;
}

export function reach(step: Step): void {
  if (armed === step) process.kill(process.pid, 'SIGKILL');
}

/** Sees the steps of a refresh where they happen: at the network and at the disk. Once in a process, before anything else. */
export function watchSteps(): void {
  const { request } = http;
  const watched = (options: RequestOptions): ClientRequest => {
    const outgoing = request(options);
    if (outgoing.method !== 'POST') return outgoing;
    reach('before send');
    outgoing.once('response', (answer) => {
      reach('headers');
      answer.once('end', () => reach('body'));
    });
    return outgoing;
  };
  Object.assign(http, { request: watched });

  const { rename } = fs.promises;
  fs.promises.rename = async (from, to) => {
    const isAnswer = String(to).endsWith('.answer');
    if (isAnswer) reach('tmp written');
    await rename(from, to);
    if (isAnswer) reach('journaled');
  };
  syncBuiltinESMExports();
}

/** The store, with the steps at which a connection's document is written. */
export function watchedStore(store: SecretStore): SecretStore {
  return {
    name: store.name,
    get: async (key) => store.get(key),
    delete: async (key) => store.delete(key),
    async set(key, value) {
      const isDocument = key.startsWith('connection:');
      if (isDocument) reach('parsed');
      await store.set(key, value);
      if (isDocument) reach('stored');
    },
  };
}
