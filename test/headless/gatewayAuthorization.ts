// The gateway's authorization server on a port of its own, with a person who answers as a test says.
import { createServer } from 'node:http';
import type { AskConsent, ConsentAnswer, ConsentRequest } from '../../src/gateway/ports.ts';
import {
  type AuthorizationServerParts,
  createAuthorizationServer,
} from '../../src/gateway/authorization/authorizationServer.ts';
import { renderCallbackPage } from '../../src/platform/callbackPage.ts';
import { authorizationWords } from '../../src/vscode/authorizationWords.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import { createRegistryFixture, type RegistryFixture } from './localAccess.ts';

export interface AuthorizationFixture extends RegistryFixture {
  /** Where it is, and its issuer. */
  readonly origin: string;
  /** What the person was asked. */
  readonly questions: ConsentRequest[];
  /** How the person answers; yes to all tools of the connection by default. */
  askConsent: AskConsent;
  stop(): Promise<void>;
}

/** Says yes, to `notes` when no connection was named. */
export const sayYes: AskConsent = async ({ connection }) => allowedOf(connection ?? 'notes');

export function allowedOf(connection: string): ConsentAnswer {
  return { type: 'allowed', connection, allowedTools: '*' };
}

/** Serves the authorization server, as the gateway does for requests that its guard let through. */
export async function serveAuthorization(
  given: Parameters<typeof createRegistryFixture>[0] & Partial<Pick<AuthorizationServerParts, 'connections'>> = {},
): Promise<AuthorizationFixture> {
  const registry = await createRegistryFixture(given);
  const questions: ConsentRequest[] = [];
  const authorization = createAuthorizationServer({
    grants: registry.registry.grants,
    connections: registry.connections,
    askConsent: async (question, signal) => {
      questions.push(question);
      return fixture.askConsent(question, signal);
    },
    renderPage: (page) => renderCallbackPage(authorizationWords(page)),
    clock: registry.clock,
    log: registry.log,
  });
  const server = createServer((request, response) => {
    if (!authorization.handle(request, response, fixture.origin)) response.writeHead(404).end('not mine');
  });
  const origin = await listenOnLoopback(server);
  const fixture: AuthorizationFixture = Object.assign(registry, {
    origin,
    questions,
    askConsent: sayYes,
    stop: async () => stopServer(server),
  });
  return fixture;
}
