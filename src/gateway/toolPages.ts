import * as v from 'valibot';
import { shownUrl } from '../oauth/addressPolicy.ts';
import { OAuthError, plainText } from '../oauth/errors.ts';
import type { ToolSummary } from './gatewayService.ts';
import type { Reply } from './mcpWire.ts';

const LONGEST_NAME = 256;
const LONGEST_TITLE = 120;
const LONGEST_DESCRIPTION = 400;
/** More would be of no use to a person who chooses. */
const MOST_TOOLS = 2000;
const MOST_PAGES = 100;
const LONGEST_CURSOR = 8192;

export const METHOD_NOT_FOUND = -32_601;

const pageSchema = v.object({ tools: v.array(v.unknown()), nextCursor: v.nullish(v.string()) });
const toolSchema = v.object({ name: v.string(), title: v.optional(v.unknown()), description: v.optional(v.unknown()) });

/** Asks for one page of `tools/list`. */
export type AskForPage = (params: { readonly cursor?: string }) => Promise<Reply>;

/**
 * Lists all pages of a server's tools. A server without tools need not know the method.
 * Throws `not_an_mcp_server` for an answer that is none, and what `ask` throws.
 */
export async function listPages(ask: AskForPage, serverUrl: string): Promise<readonly ToolSummary[]> {
  const tools = new Map<string, ToolSummary>();
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES && tools.size < MOST_TOOLS; page += 1) {
    const reply = await ask(cursor === undefined ? {} : { cursor });
    const parsed = v.safeParse(pageSchema, reply.result);
    if (!parsed.success) {
      if (reply.error?.code === METHOD_NOT_FOUND) break;
      throw notAServer(reply, serverUrl);
    }
    for (const tool of parsed.output.tools.slice(0, MOST_TOOLS - tools.size)) {
      const summary = summaryOf(tool);
      if (summary !== undefined && !tools.has(summary.name)) tools.set(summary.name, summary);
    }
    cursor = parsed.output.nextCursor ?? undefined;
    if (cursor === undefined || cursor.length > LONGEST_CURSOR) break;
  }
  return [...tools.values()];
}

export function notAServer({ contentType, status }: Reply, serverUrl: string): OAuthError<'not_an_mcp_server'> {
  return new OAuthError('not_an_mcp_server', { url: shownUrl(new URL(serverUrl)), status, contentType });
}

/**
 * What a person sees of a tool; undefined for one whose name cannot be shown as it is, and would be allowed in the
 * belief that it is another one, or all of them.
 */
function summaryOf(tool: unknown): ToolSummary | undefined {
  const parsed = v.safeParse(toolSchema, tool);
  if (!parsed.success) return undefined;
  const { name } = parsed.output;
  if (name === '*' || plainText(name, LONGEST_NAME) !== name) return undefined;
  const title = plainText(parsed.output.title, LONGEST_TITLE);
  const description = plainText(parsed.output.description, LONGEST_DESCRIPTION);
  return { name, ...(title !== undefined && { title }), ...(description !== undefined && { description }) };
}
