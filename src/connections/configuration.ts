import type { Client } from '../oauth/client.ts';
import { readSigningKey, type SigningKey } from '../oauth/signingKey.ts';
import type { Connection, ConnectionId, ConnectionKind, ConnectionSettings, SettingsChange } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import {
  type ConfiguredClient,
  type ConnectionSecret,
  isEmptySecret,
  type StoredCredentials,
  type StoredTokens,
  withoutKind,
} from './connectionSecret.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { ConnectionError, isConnectionError } from './errors.ts';
import type { SecretKeeper } from './secretKeeper.ts';

/** What a person enters that is secret; it goes to the keychain. White space around it is left out. */
export interface EnteredSecrets {
  /** Of the `client` in the settings, bound to its issuer and client ID. */
  readonly clientSecret?: string;
  /** The same, for `private_key_jwt`: PEM (PKCS #8), or a JWK as JSON. */
  readonly privateKey?: string;
  /** A token for the MCP server itself. */
  readonly accessToken?: string;
  /** A workload's identity token. */
  readonly assertion?: string;
  /** Of the `identityProvider` in the settings, bound to its issuer and client ID. */
  readonly identityProvider?: { readonly clientSecret?: string; readonly idToken?: string };
}

export interface ConfigurationParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly secrets: SecretKeeper;
}

/** Another way to get tokens, with all that is set and entered for it. */
export interface KindChange {
  readonly kind: ConnectionKind;
  readonly change: SettingsChange;
  readonly entered: EnteredSecrets;
}

/** What is entered, with the settings as they will be. */
interface Entry {
  readonly settings: ConnectionSettings;
  /** Whether the client, and with it all that proves it, is entered anew. */
  readonly isClientGiven: boolean;
  readonly isProviderGiven: boolean;
  readonly entered: EnteredSecrets;
  readonly privateKey: SigningKey | undefined;
}

/** Keeps what a person sets for one connection: the public part in the file, the secret part in the keychain. */
export class Configuration {
  readonly #parts: ConfigurationParts;

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
  }

  /**
   * Replaces settings; one that is given as undefined goes. What proves a client goes with it: a client, or an
   * identity provider, that is entered brings its own proof or has none.
   * Throws `signing_key_invalid`, `credentials_missing` for a secret of nothing, and what the keychain says; then
   * nothing has changed. Throws `storage_failed` when the settings hold but are not in the file yet.
   */
  async configure(id: ConnectionId, changed: SettingsChange, entered: EnteredSecrets): Promise<void> {
    const { records, secrets } = this.#parts;
    const { connection } = records.get(id);
    const entry = await readEntry(merged(connection.settings, changed), changed, entered);
    const isSecret = entry.isClientGiven || entry.isProviderGiven || Object.keys(entered).length > 0;
    if (isSecret) await secrets.exclusive(id, async () => this.#keep(id, entry, (stored) => stored));
    records.update(id, ({ settings, ...rest }) => ({ ...rest, settings: merged(settings, changed) }));
    await records.save();
  }

  /**
   * Does the same for a connection that gets its tokens in another way from now on: one write takes what is of the old
   * way out of the document, and what is entered for the new one into it.
   * @param end called in the same turn, when that is done, with the connection and its document as they were: to end
   * at the servers what is forgotten here.
   * Throws what {@link configure} throws.
   */
  async changeKind(
    id: ConnectionId,
    { kind, change, entered }: KindChange,
    end: (connection: Connection, secret: ConnectionSecret | undefined) => Promise<void>,
  ): Promise<void> {
    const { records, secrets, states } = this.#parts;
    const entry = await readEntry(merged(records.get(id).connection.settings, change), change, entered);
    await secrets.exclusive(id, async () => {
      const { connection } = records.get(id);
      const secret = await this.#keep(id, entry, (stored) => withoutKind(stored, connection.kind));
      if (connection.state.type !== 'disconnected') {
        states.set(id, { type: 'disconnected' }, { activity: states.event('disconnected') });
      }
      // Who signed in, and what went wrong, belonged to the other way.
      records.update(
        id,
        ({ account: _account, settings, ...rest }) => ({ ...rest, kind, settings: merged(settings, change) }),
        { lastError: null },
      );
      await end(connection, secret);
    });
    await records.save();
  }

  /** Stores the document with what is entered. Gives the one that there was. */
  async #keep(
    id: ConnectionId,
    entry: Entry,
    left: (stored: ConnectionSecret) => ConnectionSecret,
  ): Promise<ConnectionSecret | undefined> {
    const { records, secrets } = this.#parts;
    const { connection, generation } = records.get(id);
    const { serverUrl } = connection;
    const stored = await secrets.current(id, serverUrl).catch((error: unknown) => {
      // What cannot be read for good gives way to what the person enters now.
      if (!isConnectionError(error, 'secret_unreadable')) throw error;
      return undefined;
    });
    const next = withEntry(stored === undefined ? { version: 1, generation, serverUrl } : left(stored), entry);
    const isEmpty = isEmptySecret(next);
    if (stored !== undefined || !isEmpty) await secrets.replace(id, next);
    // One that stays though there is nothing in it does no harm.
    if (stored !== undefined && isEmpty) await secrets.forget(id).catch(() => undefined);
    return stored;
  }
}

async function readEntry(
  settings: ConnectionSettings,
  changed: SettingsChange,
  entered: EnteredSecrets,
): Promise<Entry> {
  const { clientSecret, identityProvider } = entered;
  const privateKey = entered.privateKey === undefined ? undefined : await readSigningKey(entered.privateKey);
  const hasClientSecret = clientSecret !== undefined || privateKey !== undefined;
  if (hasClientSecret && settings.client === undefined) {
    throw new ConnectionError('credentials_missing', { missing: 'client' });
  }
  if (identityProvider !== undefined && settings.identityProvider === undefined) {
    throw new ConnectionError('credentials_missing', { missing: 'identity_provider' });
  }
  return {
    settings,
    isClientGiven: 'client' in changed || hasClientSecret,
    isProviderGiven: 'identityProvider' in changed || identityProvider !== undefined,
    entered,
    privateKey,
  };
}

function withEntry(base: ConnectionSecret, entry: Entry): ConnectionSecret {
  const { configuredClient: storedClient, credentials: storedCredentials, tokens, ...rest } = base;
  const configuredClient = entry.isClientGiven ? clientOf(entry) : storedClient;
  const credentials = credentialsOf(storedCredentials, entry);
  return {
    ...rest,
    generation: rest.generation + 1,
    ...(configuredClient !== undefined && { configuredClient }),
    ...(credentials !== undefined && { credentials }),
    ...(tokens !== undefined && { tokens: entry.isClientGiven ? tokensOf(tokens, entry, configuredClient) : tokens }),
  };
}

/** The client with its proof; undefined for one that has none, of which the settings say all. */
function clientOf({ settings: { client }, entered, privateKey }: Entry): ConfiguredClient | undefined {
  const clientSecret = trimmed(entered.clientSecret);
  if (client === undefined || (clientSecret === undefined && privateKey === undefined)) return undefined;
  return {
    ...client,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(privateKey !== undefined && { privateKey }),
  };
}

function credentialsOf(stored: StoredCredentials | undefined, entry: Entry): StoredCredentials | undefined {
  const { entered, isProviderGiven, settings } = entry;
  const accessToken = 'accessToken' in entered ? trimmed(entered.accessToken) : stored?.accessToken;
  const assertion = 'assertion' in entered ? trimmed(entered.assertion) : stored?.assertion;
  const identityProvider = isProviderGiven ? sessionOf(settings, entered) : stored?.identityProvider;
  const credentials: StoredCredentials = {
    ...(accessToken !== undefined && { accessToken }),
    ...(assertion !== undefined && { assertion }),
    ...(identityProvider !== undefined && { identityProvider }),
  };
  return Object.keys(credentials).length === 0 ? undefined : credentials;
}

function sessionOf(
  { identityProvider: provider }: ConnectionSettings,
  { identityProvider: entered }: EnteredSecrets,
): StoredCredentials['identityProvider'] {
  const clientSecret = trimmed(entered?.clientSecret);
  const idToken = trimmed(entered?.idToken);
  if (provider === undefined || (clientSecret === undefined && idToken === undefined)) return undefined;
  return {
    ...provider,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(idToken !== undefined && { idToken }),
  };
}

/** Tokens of the very client that is entered are renewed and revoked with the proof that it has now. */
function tokensOf(tokens: StoredTokens, { settings }: Entry, proof: ConfiguredClient | undefined): StoredTokens {
  const { client } = tokens;
  const isSame =
    client?.source === 'preregistered' &&
    client.issuer === settings.client?.issuer &&
    client.clientId === settings.client.clientId;
  return isSame ? { ...tokens, client: provenAnew(client, proof) } : tokens;
}

/** The client with another proof, used as the one before where that is of the same kind. */
function provenAnew(client: Client, { clientSecret, privateKey }: Partial<ConfiguredClient> = {}): Client {
  const { clientSecret: _secret, privateKey: earlier, authMethod, ...rest } = client;
  if (privateKey !== undefined) {
    const isOfSameKind = ['kty', 'crv'].every((name) => earlier?.jwk[name] === privateKey.jwk[name]);
    const { algorithm } = (isOfSameKind ? earlier : undefined) ?? privateKey;
    return { ...rest, authMethod: 'private_key_jwt', privateKey: { ...privateKey, algorithm } };
  }
  if (clientSecret === undefined) return { ...rest, authMethod: 'none' };
  return {
    ...rest,
    clientSecret,
    authMethod: authMethod === 'client_secret_post' ? authMethod : 'client_secret_basic',
  };
}

function merged(settings: ConnectionSettings, changed: SettingsChange): ConnectionSettings {
  const all = Object.entries({ ...settings, ...changed }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(all);
}

/** What was entered, without white space around it; undefined for nothing. */
function trimmed(text: string | undefined): string | undefined {
  const bare = text?.trim();
  return bare === '' ? undefined : bare;
}
