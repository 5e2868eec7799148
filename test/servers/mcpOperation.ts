import * as v from 'valibot';

const message = v.object({ method: v.string(), params: v.optional(v.object({ name: v.optional(v.string()) })) });

/**
 * What a request to an MCP server is for, e.g. `tools/call add_note`; `GET` and the like without a message.
 * @param body the message as JSON, parsed.
 */
export function operationOf(httpMethod: string | undefined, body: unknown): string {
  const parsed = v.safeParse(message, body);
  if (!parsed.success) return httpMethod ?? 'GET';
  const { method, params } = parsed.output;
  return params?.name === undefined ? method : `${method} ${params.name}`;
}
