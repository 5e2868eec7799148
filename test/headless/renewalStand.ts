import assert from 'node:assert/strict';
import type { Connection } from '../../src/connections/connection.ts';
import type { ConnectionSecret, IssuedTokens } from '../../src/connections/connectionSecret.ts';
import type { Exchange, ExchangeKey } from '../../src/connections/exchangeJournal.ts';
import { Outages } from '../../src/connections/outages.ts';
import { Renewals, type RenewalPorts } from '../../src/connections/renewals.ts';
import { DpopNonces } from '../../src/oauth/dpop.ts';
import { type ConnectionParts, connectionParts, someGrant } from './connectionParts.ts';
import { ISSUER } from './flowParts.ts';

type Form = Readonly<Record<string, string>>;

/** What an earlier window was given. */
export const issued: IssuedTokens = {
  accessToken: 'at-1',
  refreshToken: 'rt-1',
  client: { issuer: ISSUER, clientId: 'mine', authMethod: 'none', source: 'registered' },
  authorizationServer: { issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
};

/** Renewals of one connection, over the real parts, at a token endpoint and with a journal that answer as they are told. */
export class RenewalStand {
  readonly parts: ConnectionParts = connectionParts();
  readonly outages = new Outages({ ...this.parts, random: () => 0 });
  /** The forms that the token endpoint got. */
  readonly forms: Form[] = [];
  /** What was done to the journal. */
  readonly journaled: string[] = [];
  readonly rejectedClients: string[] = [];
  readonly renewals: Renewals;
  /** How the token endpoint answers: a body with 200, a status with an error, or no answer at all. */
  answer: (form: Form) => object | readonly [status: number, error: string] | Error = () => this.rotated();
  /** What the journal has for an exchange. */
  found: (key: ExchangeKey) => Exchange | Error | undefined = () => undefined;

  /** What the token endpoint waits for before it answers. */
  gate: Promise<unknown> = Promise.resolve();

  constructor(more: Partial<RenewalPorts> = {}) {
    const { clock, log } = this.parts;
    const ports: RenewalPorts = {
      clock,
      log,
      random: () => 0,
      nonces: new DpopNonces(),
      resolveReach: async () => 'public',
      readAssertion: async (path) => `assertion of ${path}`,
      fetch: async (_url, { body }) => this.#respond(Object.fromEntries(new URLSearchParams(body))),
      journal: {
        prepare: async () => assert.fail(),
        find: async (key) => {
          const known = this.found(key);
          if (known instanceof Error) throw known;
          return known;
        },
        begin: async ({ generation, refreshToken }) => void this.journaled.push(`begin ${generation} ${refreshToken}`),
        record: async () => void this.journaled.push('record'),
        end: async () => void this.journaled.push('end'),
        setAside: async ({ refreshToken }) => void this.journaled.push(`set aside ${refreshToken}`),
        forget: async () => assert.fail(),
      },
      ...more,
    };
    const onClientRejected = (id: string, clientId: string): void =>
      void this.rejectedClients.push(`${id} ${clientId}`);
    this.renewals = new Renewals(ports, { ...this.parts, outages: this.outages, onClientRejected });
  }

  /** Another token, and another refresh token: what the endpoint gives unless told otherwise. */
  rotated(): object {
    const number = this.forms.length + 1;
    return { access_token: `at-${number}`, refresh_token: `rt-${number}`, token_type: 'bearer' };
  }

  /** A connection whose tokens an earlier window stored. */
  async connected(
    secret: Partial<ConnectionSecret> = { tokens: issued },
    more: Partial<Connection> = {},
  ): Promise<void> {
    const scopes = ['a', 'b'];
    const grant = someGrant(this.parts.clock, { authorized: scopes, granted: scopes });
    await this.parts.add('c', { state: { type: 'ready', grant }, issuer: ISSUER, requested: scopes, ...more });
    this.parts.place('c', secret);
  }

  /** What happened to the connection, in a word or two each. */
  events(): readonly string[] {
    const { activity } = this.parts.records.get('c');
    return activity.map(({ type, scopes = [], errorCode = '' }) => [type, ...scopes, errorCode].join(' ').trim());
  }

  lastError(): string | undefined {
    return this.parts.records.get('c').connection.lastError?.code;
  }

  async #respond(form: Form): Promise<Response> {
    await this.gate;
    this.forms.push(form);
    const given = this.answer(form);
    if (given instanceof Error) throw given;
    if (!Array.isArray(given)) return Response.json(given);
    const [status, error] = given;
    return Response.json({ error }, { status: Number(status) });
  }
}
