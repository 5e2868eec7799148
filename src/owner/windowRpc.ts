import { type GenericSchema, getDotPath, type InferInput, type InferOutput, safeParse } from 'valibot';
import {
  type CancellationToken,
  CancellationTokenSource,
  type MessageConnection,
  ResponseError,
} from 'vscode-jsonrpc/node';
import { asScopekeeperError, ConnectionError } from '../connections/errors.ts';
import type { ScopekeeperError } from '../oauth/errors.ts';
import { reviveError, type WireError, wireErrorSchema } from './wireErrors.ts';
import type { WindowRequest } from './windowProtocol.ts';

/** The JSON-RPC code of all our errors (JSON-RPC 2.0 section 5.1); which one it is the data say. */
const SCOPEKEEPER_ERROR = -32_000;

/** What may be sent where `S` is expected; nobody changes it on its way. */
export type Sent<S extends GenericSchema> = DeepReadonly<InferInput<S>>;
type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/**
 * Asks another window and checks its answer. Throws the error that the other window threw, and `owner_gone` when the
 * connection ends before there is an answer.
 * @param signal cancels the request there, which then answers as it likes
 */
export async function ask<P extends GenericSchema, R extends GenericSchema>(
  rpc: MessageConnection,
  request: WindowRequest<P, R>,
  params: Sent<P>,
  signal?: AbortSignal,
): Promise<InferOutput<R>> {
  const cancellation = new CancellationTokenSource();
  const cancel = (): void => cancellation.cancel();
  if (signal?.aborted === true) cancel();
  signal?.addEventListener('abort', cancel);
  try {
    const answer: unknown = await rpc.sendRequest(request.method, params, cancellation.token);
    return parsed(request.result, answer);
  } catch (error) {
    throw receivedError(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    cancellation.dispose();
  }
}

/** Answers a request of another window. What `answer` throws is thrown there. */
export function serve<P extends GenericSchema, R extends GenericSchema>(
  rpc: MessageConnection,
  { method, params }: WindowRequest<P, R>,
  answer: (params: InferOutput<P>, signal: AbortSignal) => Promise<Sent<R> & object>,
): void {
  rpc.onRequest<object, WireError>(method, async (given: unknown, token: CancellationToken) => {
    const controller = new AbortController();
    if (token.isCancellationRequested) controller.abort();
    const cancellation = token.onCancellationRequested(() => controller.abort());
    try {
      return await answer(parsed(params, given), controller.signal);
    } catch (error) {
      const { code, details, message } = asScopekeeperError(error);
      throw new ResponseError(SCOPEKEEPER_ERROR, message, { code, details });
    } finally {
      cancellation.dispose();
    }
  });
}

/** The answer to a request that gives nothing. */
export async function done(work: Promise<unknown>): Promise<Record<string, never>> {
  await work;
  return {};
}

/** Data from another window, checked. Throws `unexpected` with the place that is not as it should be. */
export function parsed<S extends GenericSchema>(schema: S, data: unknown): InferOutput<S> {
  const result = safeParse(schema, data);
  if (result.success) return result.output;
  const place = getDotPath(result.issues[0]) ?? 'the top';
  throw new ConnectionError('unexpected', { problem: `another window sent what is not as expected at ${place}` });
}

function receivedError(error: unknown): ScopekeeperError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof ResponseError) {
    const wire = safeParse(wireErrorSchema, error.data);
    if (error.code === SCOPEKEEPER_ERROR && wire.success) return reviveError(wire.output);
  }
  return new ConnectionError('owner_gone', {}, { cause: error });
}
