import type { Connection } from '../connections/connection.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';

/**
 * Gives the URL at the gateway for the slug of any connection, by asking for one of them only. Undefined when there is
 * none. Throws `owner_gone`.
 */
export async function gatewayUrlOf(
  gateway: Pick<GatewayService, 'gatewayUrl'>,
  [first]: readonly Pick<Connection, 'id'>[],
): Promise<((slug: string) => string) | undefined> {
  if (first === undefined) return undefined;
  const url = await gateway.gatewayUrl(first.id);
  return (slug) => new URL(`/${slug}/mcp`, url).href;
}
