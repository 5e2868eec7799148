import {
  array,
  exactOptional,
  type GenericSchema,
  literal,
  number,
  object,
  picklist,
  pipe,
  readonly,
  string,
  union,
  variant,
} from 'valibot';
import type { NewToken, ToolSummary } from '../gateway/gatewayService.ts';
import { ACCESS_KINDS, type LocalAccess } from '../gateway/localAccess.ts';
import type { ConsentRequest, Demand } from '../gateway/ports.ts';
import { request } from './windowProtocol.ts';

/** Nothing that a type has may be left out: a schema drops what it does not name. */
type EntriesOf<T> = { readonly [K in keyof Required<T>]: GenericSchema };

const nothing = object({});
const connection = string();
const token = object({ token: string() });
const allowedTools = union([literal('*'), pipe(array(string()), readonly())]);

const accessSchema = object({
  id: string(),
  kind: picklist(ACCESS_KINDS),
  label: string(),
  connection: exactOptional(connection),
  allowedTools,
  createdAt: number(),
  expiresAt: exactOptional(number()),
  lastUsedAt: exactOptional(number()),
} satisfies EntriesOf<LocalAccess>);

const toolSchema = object({
  name: string(),
  title: exactOptional(string()),
  description: exactOptional(string()),
} satisfies EntriesOf<ToolSummary>);

const newTokenSchema = object({
  label: string(),
  connection,
  allowedTools,
  lifetimeMs: exactOptional(number()),
} satisfies EntriesOf<NewToken>);

const clientSchema = variant('type', [
  object({ type: literal('agent') }),
  object({ type: literal('extension'), extensionId: string() }),
]);

const consentRequestSchema = object({
  clientName: string(),
  redirectUri: string(),
  connection: exactOptional(connection),
  remembered: exactOptional(allowedTools),
} satisfies EntriesOf<ConsentRequest>);

const consentAnswerSchema = variant('type', [
  object({ type: literal('allowed'), connection, allowedTools }),
  object({ type: literal('denied') }),
]);

const demandSchema = object({
  connection,
  scopes: pipe(array(string()), readonly()),
  operation: exactOptional(string()),
  client: exactOptional(object({ kind: picklist(ACCESS_KINDS), label: string() })),
} satisfies EntriesOf<Demand>);

const portNewsSchema = variant('type', [
  object({ type: literal('moved'), from: number(), to: number() }),
  object({ type: literal('refused'), wanted: number(), kept: number() }),
]);

/**
 * What a guest asks of the owner about the gateway: `GatewayService`, method for method. The tokens in the answers are
 * the gateway's own, for the person or the editor of that window; none is a server's.
 */
export const gatewayRequests = {
  gatewayUrl: request('gatewayUrl', object({ connection }), object({ url: string() })),
  tools: request('tools', object({ connection }), object({ tools: array(toolSchema) })),
  createToken: request('createToken', newTokenSchema, token),
  editorToken: request('editorToken', object({ connection, client: clientSchema }), token),
  changeTools: request('changeTools', object({ accessId: string(), allowedTools }), nothing),
  revoke: request('revoke', object({ accessIds: array(string()) }), nothing),
};

/** What the owner asks the person in the window of a guest; cancelling takes it back. */
export const promptRequests = {
  askConsent: request('askConsent', consentRequestSchema, consentAnswerSchema),
  /** Answered when the person has seen to it, or will not. */
  tellDemand: request('tellDemand', demandSchema, nothing),
  /** Answered as soon as it is shown. */
  tellPort: request('tellPort', portNewsSchema, nothing),
};

/** What the owner tells its guests: who has access now, all of them. */
export const accessesNotification = { method: 'accesses', params: object({ accesses: array(accessSchema) }) };
