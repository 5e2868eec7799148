import type { DocumentLink } from 'vscode-languageserver/node';
import { urlWithoutTokens } from '../mcpConfig/entryTokens.ts';
import { t } from '../vscode/localize.ts';
import { isLoopbackHost } from '../oauth/addressPolicy.ts';
import { type ConfigDocument, rangeIn, urlRangeOf } from './configDocument.ts';

/** The URLs of remote servers. Not those on this machine, which a browser has nothing to ask; and never a token. */
export function linksOf(document: ConfigDocument): DocumentLink[] {
  return document.analysis.servers.flatMap((server) => {
    const { url, canonicalUrl } = server.facts;
    const range = urlRangeOf(server);
    if (url === undefined || range === undefined || canonicalUrl?.startsWith('https:') !== true) return [];
    const { hostname, host } = new URL(canonicalUrl);
    if (isLoopbackHost(hostname)) return [];
    const tooltip = t('Open {0} in the browser', host);
    return [{ range: rangeIn(document, range), target: urlWithoutTokens(url.url), tooltip }];
  });
}
