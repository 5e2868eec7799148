import type { Connection, ConnectionKind, Grant } from '../../src/connections/connection.ts';
import { ConnectionRecords } from '../../src/connections/connectionRecords.ts';
import { type ConnectionSecret, formatConnectionSecret } from '../../src/connections/connectionSecret.ts';
import { ConnectionStates } from '../../src/connections/connectionStates.ts';
import { HiddenSecrets } from '../../src/connections/hiddenSecrets.ts';
import type { SecretTrouble } from '../../src/connections/keychainTrouble.ts';
import type { ScopekeeperError } from '../../src/oauth/errors.ts';
import { SecretKeeper } from '../../src/connections/secretKeeper.ts';
import { type SecretPlace, SecretVault } from '../../src/connections/secretVault.ts';
import { ManualClock, MemoryFile, MemoryLog, MemorySecretStore } from './memoryPorts.ts';

const SERVER_URL = 'https://example.com/mcp';

/** A grant that is good for an hour from the manual clock's start. */
export function someGrant(clock: ManualClock, more: Partial<Grant> = {}): Grant {
  return {
    authorized: ['a'],
    granted: ['a'],
    expiresAt: clock.now() + 3_600_000,
    refreshable: true,
    issuedAt: clock.now(),
    generation: 1,
    ...more,
  };
}

/** The parts that keep connections and their secrets, wired as the manager wires them, with no network at all. */
export function connectionParts() {
  const clock = new ManualClock(1_000_000);
  const log = new MemoryLog();
  const file = new MemoryFile();
  const keychain = new MemorySecretStore('keychain');
  const editor = new MemorySecretStore('editor');
  /** What the person was told, in the order of telling. */
  const troubles: (SecretTrouble | undefined)[] = [];
  const unsaved: (string | undefined)[] = [];
  const onUnsaved = (error: ScopekeeperError | undefined): void => void unsaved.push(error?.code);
  const records = new ConnectionRecords(file, clock, log, onUnsaved);
  const states = new ConnectionStates(records, clock);
  const vault = new SecretVault({ keychain, editor, log });
  /** What was read from where it is stored. */
  const read: ConnectionSecret[] = [];
  const secrets: SecretKeeper = new SecretKeeper({
    vault,
    clock,
    random: () => 0,
    log,
    written: () => records.written(),
    onTrouble: (trouble) => troubles.push(trouble),
    onRetry: async () => hidden.recover(),
    onPlaced: (id, place, generation) => hidden.notePlaced(id, place, generation),
    onRead: async (_id, stored) => void read.push(stored),
  });
  const hidden: HiddenSecrets = new HiddenSecrets({ records, states, secrets, clock });
  return {
    clock,
    log,
    file,
    keychain,
    editor,
    troubles,
    unsaved,
    records,
    states,
    vault,
    read,
    secrets,
    hidden,
    /** Adds a connection, without a secret unless one is stored beside it. */
    async add(id: string, more: Partial<Connection> = {}, kind: ConnectionKind = 'authorization_code'): Promise<void> {
      const connection: Connection = {
        id,
        name: id,
        slug: id,
        serverUrl: SERVER_URL,
        kind,
        requested: [],
        challenged: [],
        settings: {},
        state: { type: 'disconnected' },
        ...more,
      };
      await records.add({ connection, generation: 0, activity: [] });
    },
    /** Stores a document as an earlier window did. */
    place(id: string, secret: Partial<ConnectionSecret>, place: SecretPlace = 'keychain'): ConnectionSecret {
      const document: ConnectionSecret = { version: 1, generation: 1, serverUrl: SERVER_URL, ...secret };
      const store = place === 'keychain' ? keychain : editor;
      store.entries.set(`connection:${id}`, formatConnectionSecret(document));
      keychain.entries.set('connections', JSON.stringify({ version: 1, ids: [id] }));
      records.update(id, {}, { secretIn: place, generation: document.generation });
      return document;
    },
    /** The stored document. */
    placed(id: string, place: SecretPlace = 'keychain'): unknown {
      const text = (place === 'keychain' ? keychain : editor).entries.get(`connection:${id}`);
      return text === undefined ? undefined : JSON.parse(text);
    },
    /** The state in a word or two. */
    stateOf(id: string): string {
      const { state } = records.get(id).connection;
      if (state.type === 'unreachable') return `unreachable ${state.error.code}`;
      return state.type === 'needsSignIn' ? `needsSignIn ${state.reason}` : state.type;
    },
  };
}

export type ConnectionParts = ReturnType<typeof connectionParts>;
