import { type JsonMember, jsonMembers, jsonString } from './jsonText.ts';
import { isToolAllowed } from './localAccess.ts';

/** An error of JSON-RPC, and the status of HTTP that it comes with. */
export interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

/** What a message of JSON-RPC from a client says. */
export interface JudgedMessage {
  /** As it is in the text; undefined without one. */
  readonly id?: string | undefined;
  /** Undefined for an answer. */
  readonly method?: string | undefined;
  /** Whether it has an id and a method, and so is answered. */
  readonly isRequest: boolean;
  /** What `Mcp-Name` mirrors (2026-07-28). */
  readonly name?: string | undefined;
  readonly refusal?: Refusal | undefined;
}

const INVALID_REQUEST = -32_600;
const METHOD_NOT_FOUND = -32_601;
const INVALID_PARAMS = -32_602;

const MESSAGE_KEYS = byLowerCase(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const PARAMS_KEYS = byLowerCase(['name', 'uri', 'taskId']);

/** The parameter that says what each method is for, as `Mcp-Name` has it; `tasks/*` is of SEP-2663. */
const NAME_PARAMETERS = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

const TOOL_METHODS = new Set(['tools/list', 'tools/call', 'notifications/tools/list_changed']);

const VISIBLE_ASCII = /^[\u0021-\u007e]+$/;

/**
 * Judges the message that begins at `start`: its keys are read in one way only, and it calls no tool but those allowed.
 *
 * What else reaches tools, and what becomes of it: a call as a task (2025-11-25) is a `tools/call`, judged as one.
 * `tasks/get`, `tasks/result`, `tasks/update` and `tasks/cancel` pass: they take the id that a call gave. `tasks/list` is
 * refused: it shows the tasks of other clients of the connection, whose results could be had by `tasks/result`, and says
 * not of which tool. Methods that speak of tools in another spelling, or are not known, are refused, so that no server
 * takes them for `tools/call`. The tools in `sampling/createMessage` are the server's own, which it runs itself while a
 * tool that is allowed waits; the rest (`completion/complete`, `subscriptions/listen`, `server/discover`) has none.
 */
export function judgeMessage(text: string, start: number, allowed: readonly string[]): JudgedMessage {
  const members = text[start] === '{' ? jsonMembers(text, start) : undefined;
  if (members === undefined)
    return { isRequest: false, refusal: invalid('A message is no object, or nested too deep') };
  if (!isUnambiguous(members, MESSAGE_KEYS)) {
    const ids = members.filter(({ key }) => key.toLowerCase() === 'id');
    const id = ids.length === 1 ? idText(text, ids[0]) : undefined;
    return { id, isRequest: id !== undefined, refusal: invalid('Keys of the message are ambiguous') };
  }
  const idMember = find(members, 'id');
  const methodMember = find(members, 'method');
  const id = idText(text, idMember);
  if (methodMember === undefined) return { id, isRequest: false };
  const method = jsonString(text, methodMember);
  const isRequest = id !== undefined;
  if (method === undefined || (idMember !== undefined && !isRequest)) {
    return { id, method, isRequest, refusal: invalid('The id or the method is of another type') };
  }
  const params = find(members, 'params');
  const parameters = params !== undefined && text[params.start] === '{' ? jsonMembers(text, params.start) : [];
  if (parameters === undefined || !isUnambiguous(parameters, PARAMS_KEYS)) {
    return { id, method, isRequest, refusal: invalid('Keys of params are ambiguous') };
  }
  const nameMember = find(parameters, NAME_PARAMETERS.get(method) ?? '');
  const name = nameMember && jsonString(text, nameMember);
  return { id, method, isRequest, name, refusal: refusalOf(method, name, allowed) };
}

function refusalOf(method: string, name: string | undefined, allowed: readonly string[]): Refusal | undefined {
  if (method === 'tools/call') {
    if (name !== undefined && isToolAllowed(allowed, name)) return undefined;
    const tool = name === undefined ? 'a tool without a name' : `the tool ${JSON.stringify(name.slice(0, 128))}`;
    return { status: 200, code: INVALID_PARAMS, message: `Scopekeeper does not allow this client ${tool}` };
  }
  const words = method.toLowerCase().split(/[^a-z0-9]+/);
  const isAboutTools = words.some((word) => word === 'tool' || word === 'tools') && !TOOL_METHODS.has(method);
  const isPassed = VISIBLE_ASCII.test(method) && !isAboutTools && words.join('/') !== 'tasks/list';
  if (isPassed) return undefined;
  const message = `Scopekeeper does not allow this client ${JSON.stringify(method.slice(0, 128))}`;
  return { status: 200, code: METHOD_NOT_FOUND, message };
}

/**
 * Whether every parser finds the same values under the keys that matter: each is there once, and spelt as it should be
 * (Go takes any case, and K for the Kelvin sign), and no key could be cut or normalised into another.
 */
function isUnambiguous(members: readonly JsonMember[], keys: ReadonlyMap<string, string>): boolean {
  const folded = new Set<string>();
  return (
    members.every(({ key }) => {
      const lower = key.toLowerCase();
      const isMisspelt = (keys.get(lower) ?? key) !== key;
      folded.add(lower);
      return VISIBLE_ASCII.test(key) && !isMisspelt;
    }) && folded.size === members.length
  );
}

function byLowerCase(keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(keys.map((key) => [key.toLowerCase(), key]));
}

function find(members: readonly JsonMember[], key: string): JsonMember | undefined {
  return members.find((member) => member.key === key);
}

/** The id as it is in the text: a string or a number, else undefined. */
function idText(text: string, id: JsonMember | undefined): string | undefined {
  if (id === undefined || !/^["\d-]/.test(text.charAt(id.start))) return undefined;
  return text.slice(id.start, id.end);
}

function invalid(message: string): Refusal {
  return { status: 400, code: INVALID_REQUEST, message };
}
