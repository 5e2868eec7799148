import type { ConfigProblem, TextRange } from '../mcpConfig/configServers.ts';
import type { AnalyzedServer } from './analysis.ts';
import { type ConfigDocument, shifted } from './configDocument.ts';
import type { ConnectionList } from './connectionList.ts';
import type { EntryFinding } from './entryFindings.ts';

/** Something that is to be said about a part of a document. */
export type Finding = { readonly range: TextRange } & (
  | (EntryFinding & { readonly server: AnalyzedServer })
  /** The same server under another name, which comes before. */
  | { readonly code: 'same-server-twice'; readonly server: AnalyzedServer; readonly first: AnalyzedServer }
  /** There is a connection to it that the client does not use. */
  | { readonly code: 'not-routed'; readonly server: AnalyzedServer; readonly connection: string }
  /** The whole file is not what the client reads. */
  | { readonly code: `file-${Exclude<ConfigProblem['type'], 'unusual'>}` }
);

/** All there is to be said about a document, the most important first. */
export function findingsOf(document: ConfigDocument, connections: ConnectionList): Finding[] {
  const { servers } = document.analysis;
  const findings: Finding[] = fileFindings(document);
  for (const server of servers) {
    for (const finding of server.facts.findings) {
      findings.push({ ...finding, server, range: shifted(finding.range, server.base) });
    }
  }
  addRepeated(servers, connections, findings);
  for (const server of servers) {
    const relation = connections.relationOf(server);
    const { url } = server.facts;
    if (relation.type !== 'known' || url === undefined) continue;
    const range = shifted(url.property.range, server.base);
    findings.push({ code: 'not-routed', server, range, connection: relation.connection.name });
  }
  return findings;
}

/** What the client's parser trips on, but for what the editor says itself of a document in that language. */
function fileFindings({ document, client, analysis }: ConfigDocument): Finding[] {
  const { languageId } = document;
  return analysis.problems.flatMap(({ type, range }): Finding[] => {
    switch (type) {
      case 'comment':
        // In `jsonc` they are right; in `json` the editor says that they are not.
        return client.syntax === 'json' && languageId !== 'json' ? [{ code: 'file-comment', range }] : [];
      case 'trailing_comma':
        return client.syntax !== 'jsonc' && languageId !== 'json' ? [{ code: 'file-trailing_comma', range }] : [];
      case 'not_an_object':
        return [{ code: 'file-not_an_object', range }];
      case 'syntax':
      case 'duplicate':
        return languageId === 'json' || languageId === 'jsonc' ? [] : [{ code: `file-${type}`, range }];
      case 'unusual':
        return [];
    }
  });
}

function addRepeated(servers: readonly AnalyzedServer[], connections: ConnectionList, findings: Finding[]): void {
  const firsts = new Map<string, AnalyzedServer>();
  for (const server of servers) {
    const { canonicalUrl, url } = server.facts;
    if (canonicalUrl === undefined || url === undefined || isOff(server)) continue;
    const relation = connections.relationOf(server);
    const target = relation.type === 'routed' ? relation.connection.serverUrl : canonicalUrl;
    const key = `${server.container}\n${target}\n${server.facts.telling}`;
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, server);
    else findings.push({ code: 'same-server-twice', server, first, range: server.nameRange });
  }
}

/** Some keep an entry that is not in use now. */
function isOff({ facts }: AnalyzedServer): boolean {
  return facts.properties.some(
    ({ path, value }) =>
      path.length === 1 && ((path[0] === 'disabled' && value === true) || (path[0] === 'enabled' && value === false)),
  );
}
