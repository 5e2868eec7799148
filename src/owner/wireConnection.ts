import {
  array,
  exactOptional,
  type GenericSchema,
  type InferInput,
  type InferOutput,
  literal,
  number,
  object,
  omit,
  picklist,
  pipe,
  readonly,
  string,
  variant,
} from 'valibot';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { storedConnection } from '../connections/storedConnections.ts';
import { revivedErrorSchema } from './wireErrors.ts';

const scopes = pipe(array(string()), readonly());
const stored = storedConnection.entries;
const grant = stored.grant.wrapped;

const stateSchema = variant('type', [
  object({ type: literal('disconnected') }),
  object({
    type: literal('authorizing'),
    step: picklist(['discovering', 'registering', 'waitingForBrowser', 'waitingForDevice', 'exchanging']),
    grant: exactOptional(grant),
  }),
  object({ type: literal('ready'), grant }),
  object({ type: literal('refreshing'), grant }),
  object({ type: literal('needsConsent'), grant, missing: scopes }),
  object({ type: literal('needsSignIn'), ...stored.needsSignIn.wrapped.entries }),
  object({ type: literal('unreachable'), grant, error: revivedErrorSchema, retryAt: number() }),
]);

const connectionSchema = object({
  ...omit(storedConnection, ['grant', 'needsSignIn', 'secretIn', 'generation', 'activity']).entries,
  slug: string(),
  state: stateSchema,
  lastError: exactOptional(revivedErrorSchema),
  // Nothing that a connection has may be left out: a schema drops what it does not name.
} satisfies { readonly [K in keyof Required<Connection>]: GenericSchema });

const devicePromptSchema = object({
  userCode: string(),
  verificationUri: string(),
  verificationUriComplete: exactOptional(string()),
  expiresAt: number(),
});

/** All that a window shows of one connection. */
export const connectionViewSchema = object({
  connection: connectionSchema,
  activity: stored.activity,
  authorizationUrl: exactOptional(string()),
  device: exactOptional(devicePromptSchema),
});

export type ConnectionView = InferOutput<typeof connectionViewSchema>;

/** What `service` shows of `connection` now. */
export function viewOf(service: ConnectionService, connection: Connection): ConnectionViewInput {
  const id: ConnectionId = connection.id;
  const authorizationUrl = service.authorizationUrl(id);
  const device = service.deviceAuthorization(id);
  return {
    connection,
    activity: service.activity(id),
    ...(authorizationUrl !== undefined && { authorizationUrl }),
    ...(device !== undefined && { device }),
  };
}

/** As the owner has it; what travels is what JSON makes of it. */
export interface ConnectionViewInput extends Omit<InferInput<typeof connectionViewSchema>, 'connection' | 'activity'> {
  readonly connection: Connection;
  readonly activity: ReturnType<ConnectionService['activity']>;
}
