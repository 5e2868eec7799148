import type { Connection } from '../connections/connection.ts';

/**
 * The connection that an extension means by the scopes that it asks for: each of them is the connection's slug, its URL
 * at the gateway, or its name. Undefined when there are none, when one means nothing, or when they mean several.
 * @param urlOf gives the gateway's URL for a slug
 */
export function connectionOfScopes(
  scopes: readonly string[],
  connections: readonly Connection[],
  urlOf: (slug: string) => string,
): Connection | undefined {
  const meant = new Set(
    scopes.map(
      (scope) =>
        connections.find(({ slug }) => slug === scope || urlOf(slug) === scope) ??
        connections.find(({ name }) => name === scope),
    ),
  );
  return meant.size === 1 ? [...meant][0] : undefined;
}
