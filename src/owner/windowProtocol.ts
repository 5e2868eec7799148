import {
  array,
  boolean,
  exactOptional,
  type GenericSchema,
  keyof,
  literal,
  maxLength,
  number,
  object,
  picklist,
  pipe,
  regex,
  string,
  transform,
  url,
  variant,
} from 'valibot';
import { CONNECTION_KINDS } from '../connections/connection.ts';
import { storedConnection } from '../connections/storedConnections.ts';
import { connectionViewSchema } from './wireConnection.ts';
import { revivedErrorSchema } from './wireErrors.ts';
import { traceSchema } from './wireTrace.ts';

/** To be raised with every change of a message below that windows of the version before would not take. */
export const PROTOCOL_VERSION = 3;

/** A request between windows: what is asked with, and what is answered, each checked where it comes in. */
export interface WindowRequest<P extends GenericSchema, R extends GenericSchema> {
  readonly method: string;
  readonly params: P;
  readonly result: R;
}

/** Something that one window tells another. */
export interface WindowNotification<P extends GenericSchema> {
  readonly method: string;
  readonly params: P;
}

/** A message's types, from its schemas. */
export function request<P extends GenericSchema, R extends GenericSchema>(method: string, params: P, result: R) {
  return { method, params, result } satisfies WindowRequest<P, R>;
}

/** In characters; a longer one is cut before it is sent. */
export const LONGEST_WINDOW_NAME = 200;

const id = string();
const ofConnection = object({ id });
const nothing = object({});
const scopes = array(string());
const windowName = pipe(string(), maxLength(LONGEST_WINDOW_NAME));
const parsedUrl = pipe(
  string(),
  url(),
  transform((text) => new URL(text)),
);
/** The owner has judged it (P19); here only that it is one for a browser. */
const webUrl = pipe(string(), url(), regex(/^https?:/));
const disconnected = object({ revocation: picklist(['revoked', 'unsupported', 'failed', 'nothing_to_revoke']) });
const settings = storedConnection.entries.settings;

const enteredSecrets = object({
  clientSecret: exactOptional(string()),
  privateKey: exactOptional(string()),
  accessToken: exactOptional(string()),
  assertion: exactOptional(string()),
  identityProvider: exactOptional(object({ clientSecret: exactOptional(string()), idToken: exactOptional(string()) })),
});

/** JSON knows no `undefined`, so the settings that go are named. */
const configured = { id, settings, removed: array(keyof(settings)), entered: enteredSecrets };

/**
 * What a guest asks of the owner about the connections: `ConnectionService`, method for method. A connection in an answer is its id, since the
 * guest has heard of it by then.
 */
export const ownerRequests = {
  /**
   * First of all. Before the answer the owner tells of each connection that there is, and of the accesses.
   * `focusedAt`: when the person was at that window last, in ms since the epoch.
   */
  attach: request('attach', object({ windowName, focusedAt: exactOptional(number()) }), object({ windowName })),
  /** Answered at once, by an owner that is at work. */
  ping: request('ping', nothing, nothing),
  add: request(
    'add',
    object({ serverUrl: string(), name: exactOptional(string()), kind: exactOptional(picklist(CONNECTION_KINDS)) }),
    ofConnection,
  ),
  changeKind: request('changeKind', object({ ...configured, kind: picklist(CONNECTION_KINDS) }), nothing),
  /** Cancelling the request ends it. */
  discoverIssuer: request('discoverIssuer', ofConnection, object({ issuer: string() })),
  rename: request('rename', object({ id, name: string() }), nothing),
  remove: request('remove', object({ id, leaveSecret: exactOptional(boolean()) }), disconnected),
  /** Cancelling the request cancels the sign-in. */
  authorize: request(
    'authorize',
    object({ id, scopes: exactOptional(scopes) }),
    object({ type: picklist(['authorized', 'cancelled']) }),
  ),
  cancelAuthorization: request('cancelAuthorization', ofConnection, nothing),
  trace: request('trace', ofConnection, object({ trace: exactOptional(traceSchema) })),
  handleCallback: request(
    'handleCallback',
    object({ url: parsedUrl }),
    variant('type', [
      object({ type: literal('connected'), id }),
      object({ type: literal('failed'), error: revivedErrorSchema }),
    ]),
  ),
  refresh: request('refresh', ofConnection, nothing),
  disconnect: request('disconnect', ofConnection, disconnected),
  configure: request('configure', object(configured), nothing),
  /** Serves the sample server, unless it is served, and gives its URL. */
  sampleUrl: request('sampleUrl', nothing, object({ url: webUrl })),
  redirectUri: request(
    'redirectUri',
    object({ kind: exactOptional(picklist(['loopback', 'uri_handler'])) }),
    object({ uri: string() }),
  ),
};

/** What the owner asks of a guest. */
export const guestRequests = {
  /** Opens an authorization URL for the person who asked for it in that window. */
  openBrowser: request('openBrowser', object({ url: webUrl }), object({ isOpened: boolean() })),
};

/** What a guest tells the owner: its window has the focus. */
export const focusNotification = { method: 'focused' };

/** What the owner tells its guests: each change, with all that is shown of the connection. */
export const changeNotification = {
  method: 'changed',
  params: object({ type: picklist(['added', 'changed', 'removed']), view: connectionViewSchema }),
};
