import type { ScopekeeperError } from '../oauth/errors.ts';
import { difference, type ScopeSet } from '../oauth/scopeSet.ts';
import type { ActivityEntry } from './activity.ts';
import type { ConnectionId, ConnectionState, Grant, SignInReason } from './connection.ts';
import type { ConnectionRecords, RecordChange } from './connectionRecords.ts';
import { ConnectionError } from './errors.ts';
import type { Clock } from './ports.ts';
import { addDemand, type ScopeDemand } from './scopeDemand.ts';
import type { SignInSession } from './signInSession.ts';

/** The one place where connections' states are written, whatever asks for it. */
export class ConnectionStates {
  readonly #records: ConnectionRecords;
  readonly #clock: Clock;
  readonly #sessions = new Map<ConnectionId, SignInSession>();
  /** Scopes that servers demand and the person has not been asked for yet, whatever else goes on. */
  readonly #demanded = new Map<ConnectionId, ScopeSet>();

  constructor(records: ConnectionRecords, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** The sign-ins that are running. */
  get sessions(): ReadonlyMap<ConnectionId, SignInSession> {
    return this.#sessions;
  }

  /** Sets the state, or, while a sign-in runs, what lies under it. */
  set(id: ConnectionId, wanted: ConnectionState, more: RecordChange = {}): void {
    const state = this.#withDemand(id, wanted);
    const session = this.#sessions.get(id);
    if (session !== undefined) session.underlying = state;
    this.#records.update(id, { state: session === undefined ? state : stateDuring(session) }, more);
  }

  /** Notes that the person has been asked: what was not granted then is not demanded again. */
  meetDemand(id: ConnectionId): void {
    this.#demanded.delete(id);
  }

  /** A connection that would be ready needs consent for as long as a demand is not met. */
  #withDemand(id: ConnectionId, state: ConnectionState): ConnectionState {
    if (state.type === 'disconnected' || state.type === 'needsSignIn') this.#demanded.delete(id);
    if (state.type !== 'ready') return state;
    const missing = difference(this.#demanded.get(id) ?? [], state.grant.granted);
    return missing.length === 0 ? state : { type: 'needsConsent', grant: state.grant, missing };
  }

  /** Shows a sign-in's step as the state. */
  beginStep(id: ConnectionId, session: SignInSession, step: SignInSession['step']): void {
    session.step = step;
    this.#sessions.set(id, session);
    this.#records.update(id, { state: stateDuring(session) });
  }

  /** Ends a sign-in: what lies under it becomes the state. */
  endSession(id: ConnectionId, session: SignInSession, more: RecordChange): void {
    this.#sessions.delete(id);
    this.#records.update(id, { state: session.underlying }, more);
  }

  /** The usable grant, whatever is going on. Throws `connection_unknown`. */
  grant(id: ConnectionId): Grant | undefined {
    const { state } = this.#records.get(id).connection;
    return 'grant' in state ? state.grant : undefined;
  }

  /** The state, or what lies under a sign-in that is running. Throws `connection_unknown`. */
  resting(id: ConnectionId): ConnectionState {
    return this.#sessions.get(id)?.underlying ?? this.#records.get(id).connection.state;
  }

  /** Says that the server demands scopes which were not granted; the grant stays usable for the rest. */
  needConsent(id: ConnectionId, grant: Grant, demand: ScopeDemand): void {
    const { at: _at, ...about } = demand;
    const missing = demand.scopes;
    this.#demanded.set(id, missing);
    const demands = addDemand(this.#records.get(id).connection.demands, demand);
    this.#records.update(id, { demands });
    this.set(id, { type: 'needsConsent', grant, missing }, { activity: this.event('consent_needed', about) });
  }

  needSignIn(id: ConnectionId, reason: SignInReason, error?: ScopekeeperError): void {
    const state: ConnectionState = { type: 'needsSignIn', reason, since: this.#clock.now() };
    this.set(id, state, { activity: this.event(error === undefined ? 'sign_in_needed' : 'refresh_failed', { error }) });
  }

  /** Sets `needsSignIn` and throws `sign_in_required`. */
  requireSignIn(id: ConnectionId, reason: SignInReason): never {
    this.needSignIn(id, reason);
    throw new ConnectionError('sign_in_required', { id });
  }

  event(type: ActivityEntry['type'], { error, ...about }: EventDetails = {}): ActivityEntry {
    return { at: this.#clock.now(), type, ...about, ...(error !== undefined && { errorCode: error.code }) };
  }
}

/** What is told of an event beside its type and its time. */
interface EventDetails extends Omit<ActivityEntry, 'at' | 'type' | 'errorCode'> {
  readonly error?: ScopekeeperError | undefined;
}

function stateDuring({ step, underlying }: SignInSession): ConnectionState {
  return { type: 'authorizing', step, ...('grant' in underlying && underlying.grant && { grant: underlying.grant }) };
}
