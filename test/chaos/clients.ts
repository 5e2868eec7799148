import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createPlainClient } from '../servers/plainClient.ts';
import type { Sender } from './killCases.ts';
import type { Client } from './killOver.ts';
import { type User, Window } from './window.ts';

/** Our token manager. */
export function ownClient({ folder, service }: User, sender: Sender = 'outliving'): Client {
  return {
    open: async () => Window.open('window', [folder, service, sender]),
    signIn: async (window, server) => window.connect(server.mcpUrl, async (url) => server.authorize(url)),
  };
}

const NAIVE_ID = 'naive-client';

/** A client as many are: it keeps its tokens in a file, and writes there what the server answered. */
export function naiveClient({ folder }: User): Client {
  const file = path.join(folder, 'tokens.json');
  return {
    open: async () => Window.open('naive', [file]),
    async signIn(_window, server) {
      server.addClient({ id: NAIVE_ID, authMethod: 'none' });
      const plain = createPlainClient(server);
      plain.use(NAIVE_ID);
      const answer = await plain.exchange(await plain.authorize());
      await writeFile(file, await answer.text());
      return JSON.stringify({ tokenEndpoint: `${server.issuer}/token`, clientId: NAIVE_ID });
    },
  };
}
