import { randomBytes } from 'node:crypto';
import type { ConnectionId } from '../connections/connection.ts';

/** Where the messages of one stream of the older transport go. */
export interface MessageRoute {
  readonly connection: ConnectionId;
  /** Of the client whose stream it is; no other may use it. */
  readonly access: string;
  /** The server's URL for messages. Secret: it names the server's session. */
  readonly url: string;
}

export interface OpenMessageRoute {
  /** What the client gets instead of the server's URL, as a path on our origin. */
  readonly path: string;
  /** Forgets it: the stream has ended. */
  readonly close: () => void;
}

/** The URLs for messages that servers have announced on streams which are open (HTTP+SSE, 2024-11-05). */
export class MessageRoutes {
  readonly #routes = new Map<string, MessageRoute>();

  open(slug: string, route: MessageRoute): OpenMessageRoute {
    const id = randomBytes(16).toString('base64url');
    this.#routes.set(id, route);
    return { path: `/${slug}/mcp/messages/${id}`, close: () => void this.#routes.delete(id) };
  }

  /** The route with this id, if it is this client's and this connection's. */
  find(id: string, connection: ConnectionId, access: string): MessageRoute | undefined {
    const route = this.#routes.get(id);
    return route?.connection === connection && route.access === access ? route : undefined;
  }
}

/**
 * The URL for messages that a server announces; undefined for one that its requests may not go to: the token would
 * follow (P36).
 */
export function announcedUrl(endpoint: string, serverUrl: string): string | undefined {
  const url = URL.parse(endpoint, serverUrl);
  if (url === null || url.origin !== new URL(serverUrl).origin) return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  url.hash = '';
  return url.href;
}
