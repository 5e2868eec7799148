import type { ServedResource, ServedResources } from '../gateway/authorization/servedResources.ts';

/** The sample server as its own authorization server knows it. */
export const SAMPLE_RESOURCE: ServedResource = { id: 'sample', slug: 'notes' };

/** All that this authorization server gives tokens for; it is never removed while it is served. */
export const SAMPLE_RESOURCES: ServedResources = {
  connections: [SAMPLE_RESOURCE],
  get: (id) => (id === SAMPLE_RESOURCE.id ? SAMPLE_RESOURCE : undefined),
  onDidChangeConnection: () => ({ dispose: () => undefined }),
};

/** The URL of the sample server at a port of this computer. */
export function sampleUrl(port: number): string {
  return `http://127.0.0.1:${port}/${SAMPLE_RESOURCE.slug}/mcp`;
}
