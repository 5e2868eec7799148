import { readSigningKey } from '../oauth/signingKey.ts';
import type { ConnectionId, ConnectionSettings, SettingsChange } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import type { ConfiguredClient, ConnectionSecret, StoredCredentials } from './connectionSecret.ts';
import { isConnectionError } from './errors.ts';
import type { SecretKeeper } from './secretKeeper.ts';

/** What a person enters that is secret; it goes to the keychain. */
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
  readonly secrets: SecretKeeper;
}

/** Keeps what a person sets for one connection: the public part in the file, the secret part in the keychain. */
export class Configuration {
  readonly #parts: ConfigurationParts;

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
  }

  /**
   * Replaces settings; one that is given as undefined goes.
   * Throws `signing_key_invalid`, and what the keychain or the file says; then nothing has changed.
   */
  async configure(id: ConnectionId, settings: SettingsChange, entered: EnteredSecrets): Promise<void> {
    const { records, secrets } = this.#parts;
    const client = await clientOf(settings, entered);
    const credentials = credentialsOf(settings, entered);
    if (client !== undefined || credentials !== undefined) {
      await secrets.exclusive(id, async () => this.#keep(id, client, credentials));
    }
    records.update(id, (connection) => ({ ...connection, settings: merged(connection.settings, settings) }));
    await records.save();
  }

  async #keep(
    id: ConnectionId,
    configuredClient: ConfiguredClient | undefined,
    credentials: StoredCredentials | undefined,
  ): Promise<void> {
    const { records, secrets } = this.#parts;
    const { connection, generation } = records.get(id);
    const { serverUrl } = connection;
    const secret = await secrets.current(id, serverUrl).catch((error: unknown) => {
      // What cannot be read for good gives way to what the person enters now.
      if (!isConnectionError(error, 'secret_unreadable')) throw error;
      return undefined;
    });
    const base: ConnectionSecret = secret ?? { version: 1, generation, serverUrl };
    await secrets.keep(id, {
      ...base,
      generation: base.generation + 1,
      ...(configuredClient !== undefined && { configuredClient }),
      ...(credentials !== undefined && { credentials: { ...base.credentials, ...credentials } }),
    });
  }
}

async function clientOf(
  { client }: SettingsChange,
  { clientSecret, privateKey }: EnteredSecrets,
): Promise<ConfiguredClient | undefined> {
  if (client === undefined) return undefined;
  return {
    ...client,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(privateKey !== undefined && { privateKey: await readSigningKey(privateKey) }),
  };
}

function credentialsOf(
  settings: SettingsChange,
  { accessToken, assertion, identityProvider: session }: EnteredSecrets,
): StoredCredentials | undefined {
  const { identityProvider: provider } = settings;
  const credentials: StoredCredentials = {
    ...(accessToken !== undefined && { accessToken }),
    ...(assertion !== undefined && { assertion }),
    ...(provider !== undefined && { identityProvider: { ...provider, ...session } }),
  };
  return Object.keys(credentials).length === 0 ? undefined : credentials;
}

function merged(settings: ConnectionSettings, changed: SettingsChange): ConnectionSettings {
  const all = Object.entries({ ...settings, ...changed }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(all);
}
