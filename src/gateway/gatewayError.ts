import type { ScopeSet } from '../oauth/scopeSet.ts';
import { plainText, type ScopekeeperError } from '../oauth/errors.ts';
import type { MessageIds } from './mcpMessage.ts';

/**
 * What the gateway itself tells a local client in place of the server's answer, as JSON-RPC 2.0 errors. `code` and
 * `reason` never change their meaning. The codes are of no range that JSON-RPC reserves: MCP keeps that for its own
 * (2026-07-28, "Error Codes").
 *
 * `status` is that of HTTP. What the person or time can mend is a good answer to a request: by an error status clients
 * (VS Code's among them) take the whole server for broken, and the person would have to start it again. Where there is
 * no request to answer (a stream, a notification, an older transport, whose answers are on its stream) it is `otherwise`.
 */
const REASONS = {
  /** The connection has no token, and nobody signed in in time. */
  sign_in_required: { code: -31_050, status: 200, otherwise: 403 },
  /** The server demands scopes, and nobody allowed them in time. */
  consent_required: { code: -31_051, status: 200, otherwise: 403 },
  /** The person said no to them. */
  consent_denied: { code: -31_052, status: 200, otherwise: 403 },
  /** All that could be done about the server's challenge was done (P25). */
  access_refused: { code: -31_053, status: 200, otherwise: 403 },
  /** The request did not get to the server, or no answer came back. */
  server_unreachable: { code: -31_054, status: 502, otherwise: 502 },
  /** The server's answer may not be passed on: it leads elsewhere (P36). */
  redirect_refused: { code: -31_055, status: 502, otherwise: 502 },
  /** The token could not be renewed, or not be had from the keychain. */
  token_unavailable: { code: -31_056, status: 503, otherwise: 503 },
  /** The token was renewed meanwhile, and the request is too long to have been kept. */
  send_again: { code: -31_057, status: 503, otherwise: 503 },
  /** The request is longer than what can be judged (P43). */
  request_too_large: { code: -31_058, status: 413, otherwise: 413 },
  /** The answer is packed, so that what is in it cannot be judged (P43). */
  answer_unreadable: { code: -31_059, status: 502, otherwise: 502 },
} as const;

export type GatewayErrorReason = keyof typeof REASONS;

export interface GatewayError {
  readonly reason: GatewayErrorReason;
  /** The connection's name, as the person knows it. */
  readonly connection: string;
  /** What is demanded; servers' words. */
  readonly scopes?: ScopeSet;
  /** The code of the error behind it: never its text, which may name what only the person may see. */
  readonly cause?: ScopekeeperError['code'];
}

/** An HTTP answer with an error in it. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * The answer that tells an error.
 * @param ids of the requests that are answered by it; undefined where HTTP's answer is no place for theirs.
 */
export function errorAnswer(error: GatewayError, ids: MessageIds | undefined): ErrorAnswer {
  const { code, status, otherwise } = REASONS[error.reason];
  const { reason, connection, scopes, cause } = error;
  const data = {
    source: 'scopekeeper',
    reason,
    connection,
    ...(scopes !== undefined && scopes.length > 0 && { scopes: scopes.map((scope) => plainText(scope) ?? '') }),
    ...(cause !== undefined && { cause }),
  };
  const told = { code, message: wordsOf(error), data };
  const isAnswer = ids !== undefined && ids.ids.length > 0;
  const answers = (isAnswer ? ids.ids : [null]).map((id) => ({ jsonrpc: '2.0', id, error: told }));
  return {
    status: isAnswer ? status : otherwise,
    body: JSON.stringify(isAnswer && ids.isBatch ? answers : answers[0]),
  };
}

/** For the person who looks at the client, or for its model: what to do, and where. */
function wordsOf({ connection, reason, scopes = [] }: GatewayError): string {
  const name = `"${connection}"`;
  const list = scopes.length === 0 ? '' : ` (${scopes.map((scope) => plainText(scope, 80) ?? '').join(', ')})`;
  switch (reason) {
    case 'sign_in_required':
      return `Nobody is signed in to ${name}. Sign in to it in the editor, in the Scopekeeper view, and try again.`;
    case 'consent_required':
      return `${name} wants more permissions${list}. Allow them in the editor, in the Scopekeeper view, and try again.`;
    case 'consent_denied':
      return `More permissions of ${name}${list} were refused. Allow them in the editor, in the Scopekeeper view.`;
    case 'access_refused':
      return `${name} refuses this request${list} whatever it is given. The Scopekeeper view in the editor says more.`;
    case 'server_unreachable':
      return `The server of ${name} could not be reached. The Scopekeeper view in the editor says more.`;
    case 'redirect_refused':
      return `The server of ${name} leads to another address. Nothing was sent there. Check its URL in the editor.`;
    case 'token_unavailable':
      return `The access to ${name} could not be renewed. The Scopekeeper view in the editor says why.`;
    case 'send_again':
      return `The access to ${name} was renewed just now. Send the request again: it was too long to be kept.`;
    case 'request_too_large':
      return `The request to ${name} is too long for a client that may use only some of its tools.`;
    case 'answer_unreadable':
      return `The answer of ${name} is packed in a way that was not asked for.`;
  }
}
