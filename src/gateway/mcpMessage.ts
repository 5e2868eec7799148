import * as v from 'valibot';

const message = v.object({
  id: v.optional(v.union([v.string(), v.number()])),
  method: v.string(),
  params: v.optional(v.object({ name: v.optional(v.string()) })),
});
type Message = v.InferOutput<typeof message>;

const jsonText = v.pipe(v.string(), v.parseJson());

/** What JSON-RPC 2.0 allows as the id of a request. */
export type MessageId = string | number;

/** What an answer to a body of JSON-RPC messages has to name. */
export interface MessageIds {
  /** Those of the requests in it; notifications and answers have none that wants an answer. */
  readonly ids: readonly MessageId[];
  readonly isBatch: boolean;
}

/** The body of a POST to an MCP server as JSON; undefined for one that is none. */
export function parseBody(body: Buffer | undefined): unknown {
  const parsed = v.safeParse(jsonText, body?.toString('utf8'));
  return parsed.success ? parsed.output : undefined;
}

/**
 * What a request to an MCP server is for, e.g. `tools/call add_note`, those of a batch in their order; `GET` and the
 * like without a message.
 * @param body the message as JSON, parsed.
 */
export function operationOf(httpMethod: string | undefined, body: unknown): string {
  const operations = messagesOf(body).map(({ method, params }) =>
    params?.name === undefined ? method : `${method} ${params.name}`,
  );
  return operations.length === 0 ? (httpMethod ?? 'GET') : operations.join(', ');
}

/** The ids that an answer to this body, parsed, has to name (JSON-RPC 2.0 sections 5 and 6). */
export function messageIds(body: unknown): MessageIds {
  const ids = messagesOf(body).flatMap(({ id }) => (id === undefined ? [] : [id]));
  return { ids, isBatch: Array.isArray(body) };
}

/** The requests and notifications in a body; protocol revision 2025-03-26 has batches. */
function messagesOf(body: unknown): readonly Message[] {
  const bodies: readonly unknown[] = Array.isArray(body) ? body : [body];
  return bodies.flatMap((one) => {
    const parsed = v.safeParse(message, one);
    return parsed.success ? [parsed.output] : [];
  });
}
