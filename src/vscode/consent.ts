import * as vscode from 'vscode';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import { KeyedQueue } from '../connections/keyedQueue.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import type { AllowedTools } from '../gateway/localAccess.ts';
import type { AskConsent, ConsentAnswer, GatewayConnections } from '../gateway/ports.ts';
import { askTools } from './chooseTools.ts';
import { connectionItem } from './connectionPicker.ts';
import { consentChoices, consentFacts, type Requester, requesterText } from './consentText.ts';
import { t } from './localize.ts';
import { type Answer, askChoice } from './questions.ts';
import { withoutLinks } from './untrustedText.ts';

export interface ConsentParts {
  readonly connections: Pick<GatewayConnections, 'connections' | 'get'>;
  readonly gateway: Pick<GatewayService, 'tools'>;
}

/** What is asked: who wants to use which connection; without one the person chooses it. */
export interface ConsentQuestion {
  readonly requester: Requester;
  readonly connection?: ConnectionId | undefined;
  readonly remembered?: AllowedTools | undefined;
}

const TOLD_MS = 5000;

/**
 * Asks the person whether somebody may use a connection, and which of its tools (P43, P44); one question at a time.
 *
 * The question is a list and not a modal dialog. Code cannot close a dialog: when the client gives up, the person would
 * go on to answer a question that nobody asks any more, and no other could be shown until they do. A dialog also takes
 * Enter for its first button, and it comes when a program wants it to, perhaps while the person types; in the list, what
 * is active at first is a row that answers nothing (see `facts`). Whatever else closes the list denies.
 */
export class Consent {
  readonly #parts: ConsentParts;
  readonly #queue = new KeyedQueue();

  constructor(parts: ConsentParts) {
    this.#parts = parts;
  }

  /** For the gateway. Never rejects but for a fault of our own. */
  readonly askForClient: AskConsent = async ({ clientName: name, redirectUri, connection, remembered }, signal) =>
    this.ask({ requester: { type: 'client', name, redirectUri }, connection, remembered }, signal);

  /**
   * Asks when all earlier questions have been answered.
   * @param signal takes the question back, which denies
   */
  async ask(question: ConsentQuestion, signal?: AbortSignal): Promise<ConsentAnswer> {
    return this.#queue.run('', async () => {
      const answer = await this.#ask(question, signal);
      if (answer.type === 'denied') this.#tellDenied(question, signal);
      return answer;
    });
  }

  async #ask(question: ConsentQuestion, signal: AbortSignal | undefined): Promise<ConsentAnswer> {
    const { connections } = this.#parts;
    const choosesConnection = question.connection === undefined;
    for (;;) {
      const id = question.connection ?? (await this.#askConnection(question.requester, signal));
      const connection = id === undefined ? undefined : connections.get(id);
      if (connection === undefined) return { type: 'denied' };
      const tools = await this.#askWhether(question, connection, choosesConnection, signal);
      if (tools.type === 'answered') return { type: 'allowed', connection: connection.id, allowedTools: tools.value };
      if (tools.type === 'cancelled') return { type: 'denied' };
    }
  }

  async #askConnection(requester: Requester, signal: AbortSignal | undefined): Promise<ConnectionId | undefined> {
    const now = Date.now();
    const { connections } = this.#parts.connections;
    if (connections.length === 0 || signal?.aborted === true) return undefined;
    const answer = await askChoice<ConnectionId>({
      title: t('Access to an MCP Server'),
      placeholder: t('Which server may it use?'),
      facts: [
        {
          label: t('{0} asks to use one of your servers', requesterText(requester)),
          icon: 'plug',
          detail: t('Choose which one; then you are asked whether it may.'),
        },
      ],
      choices: connections.map((connection) => {
        const { label, description = '' } = connectionItem(connection, now);
        return { value: connection.id, label, description, icon: 'server' };
      }),
      signal,
    });
    return answer.type === 'answered' ? answer.value : undefined;
  }

  async #askWhether(
    { requester, remembered }: ConsentQuestion,
    connection: Connection,
    canGoBack: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Answer<AllowedTools>> {
    const title = t('Access to {0}', withoutLinks(connection.name));
    for (;;) {
      const answer = await askChoice({
        title,
        placeholder: t('May it?'),
        facts: consentFacts(requester, connection.name),
        choices: consentChoices(connection.name, remembered),
        canGoBack,
        signal,
      });
      if (answer.type !== 'answered') return answer;
      if (answer.value === 'deny') return { type: 'cancelled' };
      if (answer.value === 'all') return { type: 'answered', value: '*' };
      if (answer.value === 'same') return { type: 'answered', value: remembered ?? [] };
      const { gateway } = this.#parts;
      const tools = await askTools(gateway, { title, connection, before: remembered, canGoBack: true, signal });
      if (tools.type !== 'back') return tools;
    }
  }

  /** Also who closed the question by accident should see what followed. */
  #tellDenied({ requester }: ConsentQuestion, signal: AbortSignal | undefined): void {
    const who = requesterText(requester);
    const text =
      signal?.aborted === true
        ? t('$(circle-slash) {0} no longer asks for access', who)
        : t('$(circle-slash) {0} was denied access', who);
    vscode.window.setStatusBarMessage(text, TOLD_MS);
  }
}
