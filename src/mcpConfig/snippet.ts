import type { ConfigClient, RemoteServer } from './configClient.ts';
import { addServer, type NewServer } from './configServers.ts';

/** The id of the input by which VS Code asks for the token of a server. */
export function inputIdOf(name: string): string {
  return `scopekeeper-${name}-token`;
}

/** The environment variable in which a client finds the token of a server. */
export function variableOf(name: string): string {
  return `SCOPEKEEPER_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_TOKEN`;
}

/**
 * What is to be added to a client's file.
 * @param name of the server in the file
 * @param prompt what VS Code asks the person, when it asks for a token
 */
export function newServer(client: ConfigClient, name: string, server: RemoteServer, prompt: string): NewServer {
  const entry = client.entry(server);
  if (server.access.type !== 'input') return { name, entry };
  const input: NewServer['input'] = {
    type: 'promptString',
    id: server.access.inputId,
    description: prompt,
    password: true,
  };
  return { name, entry, input };
}

/** A whole file of the client with this server only, to be pasted into one that is there. */
export function snippet(client: ConfigClient, server: NewServer): string {
  const edit = addServer('', client, server);
  // An empty file takes every server.
  return edit.type === 'edited' ? edit.text : '';
}

/**
 * Arguments as one line for a terminal. Quoted so that POSIX shells and the command prompt of Windows read the same:
 * what is in it are names of servers and our own URLs, so there is nothing that either would replace.
 */
export function commandLine(args: readonly string[]): string {
  return args
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `"${arg.replaceAll(/["\\]/g, String.raw`\$&`)}"`))
    .join(' ');
}
