import {
  array,
  type InferOutput,
  literal,
  looseObject,
  number,
  optional,
  safeParse,
  string,
  union,
  unknown,
} from 'valibot';
import { NOTE_TOOLS, type Notes, scopeOfTool } from './notes.ts';

/** The revisions of MCP that a client may begin with here, the newest first. */
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26'];

const messageSchema = looseObject({
  jsonrpc: literal('2.0'),
  id: optional(union([string(), number()])),
  method: string(),
  params: optional(unknown()),
});
const bodySchema = union([messageSchema, array(messageSchema)]);
const initializeSchema = looseObject({ protocolVersion: string() });
const callSchema = looseObject({ name: string(), arguments: optional(unknown()) });

const callMessageSchema = looseObject({ method: literal('tools/call'), params: callSchema });

type Message = InferOutput<typeof messageSchema>;

interface Body {
  readonly messages: readonly Message[];
  /** Then the answer is one too (MCP 2025-03-26). */
  readonly isBatch: boolean;
}

/** The messages of a JSON-RPC text; undefined when it is none. */
export function messagesIn(text: string): Body | undefined {
  const parsed = safeParse(bodySchema, jsonOf(text));
  if (!parsed.success) return undefined;
  return Array.isArray(parsed.output)
    ? { messages: parsed.output, isBatch: true }
    : { messages: [parsed.output], isBatch: false };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The scopes that the tool calls among these messages need; what is none needs none. */
export function neededScopes(messages: readonly unknown[]): readonly string[] {
  const scopes = messages.flatMap((message) => {
    const call = safeParse(callMessageSchema, message);
    const scope = call.success ? scopeOfTool(call.output.params.name) : undefined;
    return scope === undefined ? [] : [scope];
  });
  return [...new Set(scopes)];
}

/** The answer to one message; undefined for a notification, which has none. */
export function answerTo({ id, method, params }: Message, notes: Notes, version: string): object | undefined {
  if (id === undefined) return undefined;
  const envelope = { jsonrpc: '2.0', id };
  const fail = (code: number, message: string) => ({ ...envelope, error: { code, message } });
  switch (method) {
    case 'initialize': {
      const asked = safeParse(initializeSchema, params);
      const wanted = asked.success ? asked.output.protocolVersion : '';
      const result = {
        protocolVersion: VERSIONS.includes(wanted) ? wanted : VERSIONS[0],
        capabilities: { tools: {} },
        serverInfo: { name: 'scopekeeper-sample', title: 'Sample Notes', version },
        instructions: 'Notes to try things with. They are gone when the editor is closed.',
      };
      return { ...envelope, result };
    }
    case 'ping':
      return { ...envelope, result: {} };
    case 'tools/list':
      return { ...envelope, result: { tools: NOTE_TOOLS } };
    case 'tools/call': {
      const call = safeParse(callSchema, params);
      if (!call.success || scopeOfTool(call.output.name) === undefined) return fail(-32_602, 'There is no such tool.');
      const text = notes.call(call.output.name, call.output.arguments);
      return {
        ...envelope,
        result: {
          content: [{ type: 'text', text: text ?? 'The arguments are wrong.' }],
          ...(text === undefined && { isError: true }),
        },
      };
    }
    default:
      return fail(-32_601, 'This method is not there.');
  }
}
