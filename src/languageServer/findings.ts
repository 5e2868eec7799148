import type { TextRange } from '../mcpConfig/configServers.ts';
import { isLoopbackHost } from '../oauth/addressPolicy.ts';
import type { AnalyzedServer } from './analysis.ts';
import type { ConfigDocument } from './configDocument.ts';
import type { ConnectionList } from './connectionList.ts';

/** Something that is to be said about a part of a document. */
export type Finding = { readonly range: TextRange; readonly server?: AnalyzedServer } & FindingKind;

export type FindingKind =
  /** The URL is plain http to another machine. */
  { readonly code: 'plain-http'; readonly host: string };

/** All there is to be said about a document, in no order. */
export function findingsOf({ analysis }: ConfigDocument, _connections: ConnectionList): Finding[] {
  return analysis.servers.flatMap((server) => plainHttp(server));
}

function plainHttp(server: AnalyzedServer): Finding[] {
  const { url, canonicalUrl } = server.facts;
  if (url === undefined || canonicalUrl?.startsWith('http:') !== true) return [];
  const { host, hostname } = new URL(canonicalUrl);
  if (isLoopbackHost(hostname)) return [];
  return [{ code: 'plain-http', host, server, range: shifted(url.property.range, server.base) }];
}

function shifted({ offset, length }: TextRange, base: number): TextRange {
  return { offset: offset + base, length };
}
