import { plainText } from '../oauth/errors.ts';
import type { FetchRequest } from '../oauth/fetchPort.ts';
import { secretsSent, withoutSecrets } from '../oauth/repeatedSecrets.ts';
import type { TraceField, TracePurpose } from './trace.ts';

const LONGEST_NAME = 60;
const LONGEST_VALUE = 300;
const FIELDS_AT_MOST = 40;
/** What is shorter is found anywhere by chance. */
const SHORTEST_SECRET = 4;

/** What may be told of a request or an answer; all else is told by its length (P36). */
const PUBLIC_NAMES = new Set([
  'application_type',
  'audience',
  'client_assertion_type',
  'client_id',
  'client_id_issued_at',
  'client_name',
  'client_secret_expires_at',
  'code_challenge_method',
  'content-type',
  'error',
  'error_description',
  'error_uri',
  'expires_in',
  'grant_type',
  'grant_types',
  'interval',
  'iss',
  'issued_token_type',
  'location',
  'method',
  'prompt',
  'redirect_uri',
  'redirect_uris',
  'registration_client_uri',
  'requested_token_type',
  'resource',
  'response_type',
  'response_types',
  'retry-after',
  'scope',
  'software_id',
  'software_version',
  'subject_token_type',
  'token_endpoint_auth_method',
  'token_type',
  'token_type_hint',
  'verification_uri',
  'www-authenticate',
]);

/** Of the headers, those that say something of authorization. */
const SENT_HEADERS = ['authorization', 'dpop', 'mcp-session-id'] as const;
const RECEIVED_HEADERS = ['content-type', 'www-authenticate', 'location', 'retry-after', 'dpop-nonce'] as const;

/** Documents that anybody can read. */
const PUBLIC_DOCUMENTS: ReadonlySet<TracePurpose> = new Set(['probe', 'resource_metadata', 'server_metadata']);

/**
 * Anything with a scheme, up to what cannot be in a URL. It is looked for only where a word begins: a long text that
 * comes from a server, each letter of which might begin a scheme, would take minutes.
 */
const URL_IN_TEXT = /(?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/[^\s"'<>\\]+/gi;

type Named = readonly [name: string, value: unknown];

/**
 * Makes the fields of a trace, which hold no secret: what is not known to be public is told by its length, URLs lose
 * their query, and what repeats a secret that went over the wire before loses that. One for each trace.
 */
export class TraceFields {
  readonly #secrets = new Set<string>();

  /** What a request says: the parameters of its form, or the members of its JSON, and what it is authorized with. */
  ofRequest(purpose: TracePurpose, { body, headers = {} }: FetchRequest): readonly TraceField[] {
    const document = jsonObject(body);
    const form = new URLSearchParams(document === undefined ? body : '');
    this.#learn(secretsSent(form, headers));
    const sent = SENT_HEADERS.flatMap((name): Named[] => (headers[name] === undefined ? [] : [[name, headers[name]]]));
    const said: readonly Named[] = document === undefined ? [...form] : Object.entries(document);
    // What a probe says is the same for all.
    return [...this.#fields(sent), ...this.#fields(said, purpose === 'probe' ? () => true : isPublic)];
  }

  /**
   * What an answer says.
   * @param body undefined when it was not read.
   */
  ofAnswer(purpose: TracePurpose, response: Response, body: string | undefined): readonly TraceField[] {
    const { headers } = response;
    const heads = RECEIVED_HEADERS.flatMap((name): Named[] => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    const document = jsonObject(body);
    if (document === undefined) return this.#fields([...heads, ...(body ? [['body', body] as const] : [])]);
    const members = Object.entries(document);
    if (PUBLIC_DOCUMENTS.has(purpose)) return this.#fields([...heads, ...members], () => true);
    const hidden = members.flatMap(([name, value]) => (isPublic(name) || typeof value !== 'string' ? [] : [value]));
    this.#learn(hidden);
    return this.#fields([...heads, ...members]);
  }

  /** The parameters of a URL that a browser is sent to, or comes back with. */
  ofQuery(url: URL): readonly TraceField[] {
    this.#learn([...url.searchParams].flatMap(([name, value]) => (isPublic(name) ? [] : [value])));
    return this.#fields([...url.searchParams]);
  }

  /** The parameters of a callback that another server may have made: who it says it is, and else no text of it (P17). */
  ofForged(url: URL): readonly TraceField[] {
    return this.#fields([...url.searchParams], (name) => name === 'iss');
  }

  /** A URL without what may hold a secret. */
  url(url: string): string {
    return this.#shown(url.replace(/[?#].*$/s, ''));
  }

  /** Notes what must not be told from now on. */
  #learn(secrets: readonly string[]): void {
    for (const secret of secrets) if (secret.length >= SHORTEST_SECRET) this.#secrets.add(secret);
  }

  #fields(named: readonly Named[], isShown = isPublic): readonly TraceField[] {
    return named.slice(0, FIELDS_AT_MOST).map(([name, value]) => {
      const shown = isShown(name) ? this.#shown(textOf(value)) : hidden(name, textOf(value));
      return { name: plainText(this.#without(name), LONGEST_NAME) ?? '', value: shown };
    });
  }

  #shown(text: string): string {
    return plainText(this.#without(text.replaceAll(URL_IN_TEXT, withoutQuery)), LONGEST_VALUE) ?? '';
  }

  #without(text: string): string {
    const longestFirst = [...this.#secrets].toSorted((a, b) => b.length - a.length);
    return withoutSecrets(text, longestFirst) ?? '';
  }
}

/** A URL as it is written, since a slash more or less is what issuers differ by, but with no user info and no query. */
function withoutQuery(url: string): string {
  return url.replace(/^([^:]*:\/\/)[^/?#]*@/, '$1').replace(/[?#].*$/s, '?…');
}

function isPublic(name: string): boolean {
  return PUBLIC_NAMES.has(name);
}

/** A secret by its length; of credentials their scheme too. */
function hidden(name: string, text: string): string {
  const [scheme = '', ...credentials] = text.split(' ');
  if (name !== 'authorization' || credentials.length === 0) return lengthOf(text);
  return `${scheme.slice(0, 20)} ${lengthOf(credentials.join(' '))}`;
}

function lengthOf(text: string): string {
  return `[${text.length} characters]`;
}

/** A member of a document in words: lists of texts as such, anything with a structure as JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(' ');
  return JSON.stringify(value) ?? '';
}

function jsonObject(text: string | undefined): object | undefined {
  if (text === undefined || !/^[\s\uFEFF]*\{/.test(text)) return undefined;
  try {
    const document: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof document === 'object' && document !== null ? document : undefined;
  } catch {
    return undefined;
  }
}
