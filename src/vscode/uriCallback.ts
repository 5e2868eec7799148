/** What the editor hands over of a URI: the query has lost its percent-encoding. */
export interface HandedUri {
  readonly path: string;
  readonly query: string;
}

/** A parameter begins where a name and an equals sign follow; another `&` is part of a value. */
const SEPARATOR = /&(?=[a-z][\w.-]*=)/i;

/**
 * The callback URL (P18) in a URI that the editor was opened with; undefined when it is about something else.
 * The editor decodes the query once, as a whole: what was `%26`, `%3D`, `%25` and `%2B` is now bare. So nothing is
 * decoded here a second time, a value ends only where another parameter begins, and `+` is itself, since no code
 * and no state has blanks; only in a text for people it stands for one.
 * @param redirectUri the one that is registered, which the URI has to be of
 */
export function callbackUrlIn(uri: HandedUri, redirectUri: string): URL | undefined {
  const url = new URL(redirectUri);
  if (uri.path !== url.pathname) return undefined;
  for (const parameter of uri.query.split(SEPARATOR)) {
    const end = parameter.indexOf('=');
    if (end <= 0) continue;
    const name = parameter.slice(0, end);
    const value = parameter.slice(end + 1);
    url.searchParams.append(name, name === 'error_description' ? value.replaceAll('+', ' ') : value);
  }
  return url;
}
